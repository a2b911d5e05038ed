"""A folder of motions, searched by words, and as the first to answer where motions are made."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laban.actions.context import Context
from laban.actions.inputs import checked, motion_of, open_space, refreshed
from laban.actions.latent import ENCODER_HELP, MODEL, MODEL_HELP
from laban.actions.options import bounded, check, described
from laban.actions.outputs import check_sheet, write_sheet
from laban.errors import InputError
from laban.systems.options import Bounds

if TYPE_CHECKING:
    from laban.motion.motion import Motion
    from laban.systems.capabilities import Embeds
    from laban.systems.motionclip.library import IndexReport, Library, Match

SHEET_ROWS = 20


@dataclass(frozen=True)
class SearchOptions:
    """What is searched for, and where."""

    folder: Path = described(MISSING, "The folder, with all folders in it; .bvh .glb .npz.")
    text: str = described("", 'What to find, in English, in quotes: "someone waves goodbye".')
    like: Path | Motion | None = described(None, "Find what is like this motion file, instead of a text.")
    top: int = bounded(10, Bounds(1, 10_000, whole=True), "How many to print.")
    sheet: Path | None = described(None, "A .png with one row per result.")
    index: Path | None = described(None, "Where the index is kept, if not in the folder.")
    rebuild: bool = described(False, "Make the index anew.")
    model: str = described(MODEL, MODEL_HELP)
    text_encoder: Path | None = described(None, ENCODER_HELP)


@dataclass(frozen=True)
class Search:
    """What `search` found.

    Attributes:
        found: the clips or moments, best first.
        clips: how many the index holds.
        report: what changed in the index.
    """

    found: list[Match]
    clips: int
    report: IndexReport


def search(options: SearchOptions, context: Context) -> Search:
    """Finds the clips of a folder, and the moments in long ones, that fit a sentence or a motion best.

    The first search of a folder reads every file and keeps an index in it; later ones read only what is new. The
    parts of the clock are called load, index and query.

    Args:
        options: what, and where.
        context: its models are used; told of progress; warned of files that are left out.
    Raises: InputError for neither or both of text and like, or for a folder, file or model that cannot be used.
    """
    check(options)
    if bool(options.text.strip()) == (options.like is not None):
        raise InputError("search: say what to find, in quotes, or give --like FILE; one of them.")
    text = checked(options.text, "the text") if options.text.strip() else ""
    check_sheet(options.sheet)
    if not options.folder.is_dir():
        raise InputError(f"{options.folder}: there is no such folder. Name one with BVH, GLB or NPZ files in it.")

    from laban import formats

    source = motion_of(options.like, context) if options.like is not None else None
    with context.clock.part("load"):
        system = open_space(options.model, context, options.text_encoder)
    from laban.systems.motionclip import space
    from laban.systems.motionclip.library import Library

    with context.clock.part("index"):
        library = Library.open(options.folder, system, options.index, rebuild=options.rebuild)
        report = refreshed(library, system, options.index, context)
    context.check()
    with context.clock.part("query"):
        vector = system.text_directions([text])[0] if source is None else space.direction(system, source)
        found = library.search(vector.numpy(), options.top)
    if options.sheet is not None:
        shown = found[:SHEET_ROWS]
        titles = [f"{m.score:+.2f}  {m.path.name}, {m.start:.1f} to {m.end:.1f} s" for m in shown]
        write_sheet([formats.read(m.path).crop(m.start, m.end) for m in shown], titles, options.sheet)
    return Search(found, len(library.names), report)


@dataclass
class LibraryFirst:
    """A library and the space that judges. Both the clip and the generated motion are scored by one encoder."""

    system: Embeds
    library: Library

    @classmethod
    def open(cls, folder: Path, context: Context, model: str = MODEL) -> LibraryFirst:
        """Opens a folder's index and brings it up to date.

        Args:
            folder: of motion files.
            context: its models are used; told of progress; warned of files that are left out.
            model: whose space judges.
        Raises: InputError if the folder holds nothing to use.
        """
        from laban.systems.motionclip.library import Library

        if not folder.is_dir():
            raise InputError(f"--library {folder}: there is no such folder.")
        system = open_space(model, context)
        library = Library.open(folder, system)
        refreshed(library, system, None, context)
        return cls(system, library)

    def answer(self, text: str, seconds: float | None, made: list[Motion]) -> list[Motion]:
        """Each generated motion, or the library clip of its rank where that fits the text better.

        Args:
            text: what was asked.
            seconds: the length asked for; None: a clip keeps its own.
            made: generated motions, best first.
        Returns: as many motions; every passport says under "library" which clip was compared, and both scores.
        """
        from laban.systems.motionclip import space

        vector = self.system.text_directions([text])[0]
        found = self.library.search(vector.numpy(), len(made))
        out = []
        for rank, motion in enumerate(made):
            own = float(space.direction(self.system, motion) @ vector)
            if rank >= len(found):
                out.append(motion)
                continue
            clip = self._adapted(found[rank], seconds, motion.fps)
            score = float(space.direction(self.system, clip) @ vector)
            facts: dict[str, Any] = {
                "file": str(found[rank].path), "score": round(score, 4), "generated_score": round(own, 4),
                "moment": [round(found[rank].start, 3), round(found[rank].end, 3)], "taken": score > own,
                "weights": self.system.provenance.hash,
            }  # fmt: skip
            if score > own:
                passport = {
                    "system": "library", "request": {"text": text, "seconds": seconds}, "library": facts,
                    "licence": "that of the file", "clip": clip.passport,
                }  # fmt: skip
                out.append(replace(clip, passport=passport))
            else:
                out.append(replace(motion, passport={**(motion.passport or {}), "library": facts}))
        return out

    def _adapted(self, match: Match, seconds: float | None, fps: float) -> Motion:
        """The clip on our skeleton, its best stretch brought to the length asked for."""
        from laban import formats
        from laban.motion.retarget import retarget
        from laban.systems.motionclip.space import fitted

        motion = retarget(formats.read(match.path)).resample(fps)
        if seconds is not None:
            motion = fitted(motion, seconds, match.start, min(match.end, motion.seconds))
        from laban.motion.motion import Segment

        segments = motion.segments or (Segment(match.path.stem, 0.0, motion.seconds),)
        return replace(motion, segments=segments)
