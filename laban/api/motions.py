"""Motions put on characters, found, named and shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laban.actions.context import Context
from laban.api.call import options_of, surroundings

if TYPE_CHECKING:
    from laban.character.bonemap import BoneMap
    from laban.character.made import Made
    from laban.motion.motion import Motion
    from laban.systems.motionclip.library import Match
    from laban.systems.motionclip.space import Guess


@dataclass(frozen=True)
class Character:
    """A rigged humanoid of your own, for `retarget`.

    Attributes:
        file: .glb, .vrm, .gltf, or a .bvh for its skeleton.
        bone_map: a mapping file, where its bones are not recognised (`laban character inspect` writes one).
        partial: accept one without arms or head.
    """

    file: str | Path
    bone_map: str | Path | None = None
    partial: bool = False

    def bones(self) -> BoneMap:
        """Which bone is which, checked. Raises: InputError for a file that holds no humanoid."""
        from laban.character.stance import load

        return load(Path(self.file), None if self.bone_map is None else Path(self.bone_map), partial=self.partial).map


def retarget(
    motion: str | Path | Motion,
    character: str | Path | Character,
    *,
    fps: float | None = None,
    context: Context | None = None,
    **options: Any,
) -> Made:
    """A motion on a character, with the certificate of how well it fits; `laban.write` writes it.

    Args:
        motion: any humanoid, or its file.
        character: a rigged humanoid.
        fps: frames per second of the result; None: the motion's.
        context: asked whether to stop.
        options: further fields of [`RetargetOptions`][laban.actions.character.RetargetOptions].
    Raises: InputError for a motion or character that cannot be used.
    """
    from laban.actions import character as action

    body = character if isinstance(character, Character) else Character(character)
    named = {"source": motion, "character": body.file, "map": body.bone_map, "partial": body.partial, "fps": fps}
    return action.retarget(options_of(action.RetargetOptions, options, named), surroundings(context))


def search(
    folder: str | Path,
    text: str = "",
    *,
    like: str | Path | Motion | None = None,
    top: int = 10,
    context: Context | None = None,
    **options: Any,
) -> list[Match]:
    """The clips of a folder, and the moments in long ones, that fit a sentence or a motion, best first.

    Args:
        folder: of .bvh, .glb and .npz files, with all folders in it; it keeps an index.
        text: what to find.
        like: find what is like this motion, instead of a text.
        top: how many at most.
        context: models, progress, warnings.
        options: further fields of [`SearchOptions`][laban.actions.library.SearchOptions].
    Raises: InputError for neither or both of text and like, or a folder that cannot be used.
    """
    from laban.actions import library as action

    named = {"folder": folder, "text": text, "like": like, "top": top}
    return action.search(options_of(action.SearchOptions, options, named), surroundings(context)).found


def recognise(
    motion: str | Path | Motion,
    classes: Sequence[str] = (),
    *,
    top: int = 5,
    context: Context | None = None,
    **options: Any,
) -> list[Guess]:
    """What happens in a motion: the likeliest classes, best first.

    Args:
        motion: any humanoid, or its file.
        classes: names or phrases to choose from; the contents of the training corpus if none are given.
        top: how many at most.
        context: models, progress, warnings.
        options: further fields of [`RecogniseOptions`][laban.actions.latent.RecogniseOptions].
    Raises: InputError for a motion or class that cannot be used.
    """
    from laban.actions import latent as action

    named = {"file": motion, "classes": tuple(classes), "top": top}
    return action.recognise(options_of(action.RecogniseOptions, options, named), surroundings(context))


def render(
    content: str | Path | Motion | Made, out: str | Path, *, context: Context | None = None, **options: Any
) -> None:
    """A film (.mp4, .gif), a sheet of poses (.png) or a page that plays (.html).

    Args:
        content: a motion, a motion on a character, or a file of either.
        out: the file to write.
        context: told of progress.
        options: of the format's writer: width, height, fps, beats and more.
    Raises: InputError for a file that cannot be read or written.
    """
    from laban.actions import files
    from laban.actions.outputs import write
    from laban.formats import SHOWN, check_suffix

    check_suffix(out, SHOWN)
    if isinstance(content, str | Path):
        named = {"source": content, "out": (out,)}
        files.render(options_of(files.RenderOptions, options, named), surroundings(context))
    else:
        write(content, Path(out), surroundings(context), **options)
