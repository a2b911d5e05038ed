"""Wearing a motion: what every action with a `--character` does with its result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from laban.actions.context import Context
from laban.actions.options import described
from laban.actions.outputs import check_outputs, write
from laban.errors import InputError
from laban.formats import WRITERS

if TYPE_CHECKING:
    from laban.character.made import Made
    from laban.character.stance import Stance
    from laban.motion.motion import Motion

Root = Literal["travel", "in-place", "root-bone"]
CERTIFICATE = ".certificate.json"
"""What stands behind a file's name in that of its certificate."""


def check_certificates(paths: Sequence[Path]) -> None:
    """Raises InputError for files beside which no certificate can be written."""
    for path in paths:
        if Path(f"{path}{CERTIFICATE}").is_dir():
            raise InputError(f"{path}{CERTIFICATE} is a folder; the certificate goes there. Name another --out.")


@dataclass(frozen=True)
class Wearing:
    """What `generate` and others do with a motion where a character is named: they put it on and write it.

    Attributes:
        character: the file, or None for none.
        map: its mapping file.
        in_place: take the path out of the root.
        root: who covers the way: `laban.character.root_bone.ROOTS`.
        append: put the clip behind the file's own animations.
    """

    character: Path | None = described(None, "Your own rigged humanoid (.glb, .vrm, .gltf, .fbx) to wear the motion.")
    map: Path | None = described(None, "A mapping file for the character, from `laban character inspect`.")
    in_place: bool = described(False, "With --character: the same as --root in-place.")
    root: Root = described(
        "travel",
        "With --character: who covers the way: the hips (travel), nobody (in-place), or a bone on the floor "
        "(root-bone), for engines.",
    )
    append: bool = described(False, "With --character: put the clip behind the file's own animations.")

    @property
    def formats(self) -> dict[str, str]:
        """What can be written."""
        if self.character is None:
            return WRITERS
        from laban.formats import CHARACTER_WRITERS

        return CHARACTER_WRITERS

    def check(self, paths: Sequence[Path]) -> Stance | None:
        """The character, ready to wear a motion; None without one. Called before a model is loaded.

        Args:
            paths: the files that `write` will write.
        Raises: InputError for a character, map or file that cannot be used; for options without a character.
        """
        if self.character is None:
            if self.map is not None or self.in_place or self.append or self.root != "travel":
                raise InputError(
                    "--map, --in-place, --root and --append are about a character. Give --character FILE too."
                )
            return None
        from laban.character import export
        from laban.character.stance import load

        check_outputs(paths, self.formats)
        check_certificates(paths)
        stance = load(self.character, self.map)
        export.check_ready(paths, stance)
        return stance

    def write(
        self, stance: Stance, motion: Motion, paths: Sequence[Path], context: Context,
        options: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Made:  # fmt: skip
        """Writes the motion on the character, and a certificate beside each file.

        Args:
            stance: what `check` returned.
            motion: any humanoid's.
            paths: the files.
            context: told of progress.
            options: suffix -> options of its writer (sound and beats of films and pictures).
        """
        from laban.character.made import make

        made = make(motion, stance, root="in-place" if self.in_place else self.root, append=self.append)
        for path in paths:
            write(made, path, context, **(options or {}).get(path.suffix.lower(), {}))
        return made
