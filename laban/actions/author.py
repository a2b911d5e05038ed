"""Timelines become motions: read or given, performed, written."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from laban.actions.context import Context
from laban.actions.options import check, described
from laban.actions.outputs import check_outputs, write
from laban.actions.wearing import Wearing
from laban.errors import InputError

if TYPE_CHECKING:
    from laban.authoring.author import Authored
    from laban.authoring.timeline import Timeline

KINDS = ("kimodo", "mmcp", "script")


@dataclass(frozen=True)
class AuthorOptions:
    """What is asked of `author`."""

    timeline: Path | Timeline = described(MISSING, "The timeline, a JSON file (docs/authoring.md).")
    out: tuple[Path, ...] = described(
        (), "Files to write; the suffix says the format: .glb .bvh .npz .mp4 .gif .png .html."
    )
    only: str | None = described(None, "Meet this goal alone, by its id.")
    solver: Literal["full", "warp"] = described("full", "warp: path and limbs alone, without steering; quicker.")
    report: Path | None = described(None, "Write the report, as JSON.")
    allow_outside: bool = described(False, "The timeline may name files outside its folder.")
    model: str | None = described(None, "Weights instead of those that the timeline names.")
    wearing: Wearing = Wearing()

    def check(self) -> None:
        """Raises InputError for whatever cannot be, before any work is done."""
        check(self)
        if self.out:
            check_outputs(self.out, self.wearing.formats)
        if self.report is not None:
            check_outputs([self.report], {".json": ""})


def author(options: AuthorOptions, context: Context) -> Authored:
    """The motion of a timeline, written where files are named.

    The files are written also where a goal is missed or cannot be met; the report says so.

    Args:
        options: what is performed, and which files are written.
        context: models, progress, warnings; asked between steps whether to stop.
    Raises: InputError for what cannot be asked; Cancelled.
    """
    from laban.authoring import author as authoring
    from laban.authoring.timeline import Timeline, located, only

    options.check()
    given = options.timeline
    timeline = given if isinstance(given, Timeline) else Timeline.read(given, context.warn)
    folder = Path() if isinstance(given, Timeline) else given.parent
    outside = options.allow_outside or isinstance(given, Timeline)
    if options.only is not None:
        timeline = only(timeline, options.only)
    if options.model is not None:
        timeline = replace(timeline, model=options.model)
    wearing = options.wearing
    if timeline.character is not None and wearing.character is None:
        character, bones = timeline.character, None
        if character.map is not None:
            bones = located(character.map, folder, allow_outside=outside)
        wearing = replace(wearing, character=located(character.file, folder, allow_outside=outside), map=bones)
        if options.out:
            check_outputs(options.out, wearing.formats)
    stance = wearing.check(options.out) if options.out else None
    made = authoring.author(timeline, context, solver=options.solver, folder=folder, allow_outside=outside)
    if stance is not None:
        with context.clock.part("retarget and write"):
            wearing.write(stance, made.motion, options.out, context)
    else:
        for path in options.out:
            with context.clock.part(f"write {path.suffix[1:]}"):
                write(made.motion, path, context, made.motion.fps, **_root_bone(timeline, made, path, context))
    if options.report is not None:
        write_json(made.report.record(), options.report)
    return made


def _root_bone(timeline: Timeline, made: Authored, path: Path, context: Context) -> dict[str, Any]:
    """What a writer is told so that a bone `root` carries the travel, where that is asked for and the format has it."""
    if timeline.root != "root_bone":
        return {}
    if path.suffix.lower() != ".glb":
        context.warn(f"{path}: has no root bone; only .glb has. The travel is in the motion's own root.")
        return {}
    from laban.authoring.author import travel_of

    return {"travel": travel_of(timeline, made.motion)}


def import_timeline(kind: str, source: Path, out: Path) -> Timeline:
    """A timeline out of another kind of document, written to `out`.

    Args:
        kind: one of KINDS.
        source: the document.
        out: ends in .json.
    Raises: InputError for a kind that is not known, or a document that cannot be read.
    """
    from laban.authoring import importing

    if kind not in KINDS:
        raise InputError(f"import-timeline: unknown kind {kind!r}; expected one of {', '.join(KINDS)}.")
    check_outputs([out], {".json": ""})
    made = importing.read(kind, source)
    made.write(out)
    return made


def write_json(value: Any, path: Path) -> None:
    """Writes JSON, whole or not at all."""
    import json

    from laban.io.atomic import replacing

    with replacing(path) as file:
        file.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
