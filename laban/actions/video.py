"""Sentences become small videos: drawn several times over, ranked and written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from laban.actions.context import Context
from laban.actions.inputs import checked
from laban.actions.options import bounded, check, described
from laban.actions.outputs import check_outputs
from laban.errors import InputError
from laban.formats import VIDEO_WRITERS
from laban.systems.options import GUIDANCE, SEED, TEMPERATURE, TOP_K, Bounds

if TYPE_CHECKING:
    import numpy as np

    from laban.io.frames import Video
    from laban.systems.capabilities import MakesVideo

KEPT = 3  # default number of frames that a video goes on from


@dataclass(frozen=True)
class VideoOptions:
    """What is asked of `video`."""

    text: str = described("", "What is to be seen, in English, in quotes.")
    out: tuple[Path, ...] = described(
        (), "Files to write; the suffix says the format: .mp4 .gif, or .png for all frames side by side."
    )
    samples: int = bounded(1, Bounds(1, 64, whole=True), "Videos to draw; the one that fits the words best is written.")
    every: bool = described(False, "Write all samples, the best first: digits-1.mp4, digits-2.mp4.")
    seed: int = bounded(0, SEED, "Which of the many videos that fit the words.")
    model: str = described("godiva", "Shipped weights by name, or a folder with weights.")
    from_frames: Path | None = described(
        None, "Go on from the first frames of this film, .gif, .png strip, or folder of pictures."
    )
    keep: int | None = bounded(None, Bounds(1, 1000, whole=True), "How many of these frames are kept; by default 3.")
    clip: Path | None = described(
        None, "Folder with a CLIP model to rank samples by, instead of the small score that comes with the weights."
    )
    top_k: int | None = bounded(None, TOP_K, "Draw among so many of the likeliest codes at each place.")
    temperature: float | None = bounded(None, TEMPERATURE, "Below 1 likelier codes, 0 the likeliest.")
    guidance: float | None = bounded(None, GUIDANCE, "How strongly the words are followed; 1 is without.")
    size: int | None = bounded(
        None, Bounds(16, 2048, whole=True),
        "Height of the written pictures in pixels; frames are enlarged by a whole number.",
    )  # fmt: skip

    @property
    def sentence(self) -> str:
        """The text with single spaces. Raises: InputError for one that is empty, too long or no text."""
        if not self.text.strip():
            raise InputError("there is no sentence. Write what is to be seen, in quotes.")
        return checked(self.text, "the sentence")

    def check(self) -> None:
        """Raises InputError for whatever cannot be, before any work is done."""
        check(self)
        if self.sentence and self.out:
            check_outputs(self.out, VIDEO_WRITERS)
        if self.keep is not None and self.from_frames is None:
            raise InputError("--keep was given without --from-frames. Name the film that the frames come from.")

    def files(self, number: int) -> tuple[Path, ...]:
        """Files of a video: digits.mp4; digits-2.mp4 of several.

        Args:
            number: its place, from 1.
        """
        name = f"-{number}" if self.every and self.samples > 1 else ""
        return tuple(path.with_name(f"{path.stem}{name}{path.suffix}") for path in self.out)


@dataclass(frozen=True, eq=False)
class RankedVideo:
    """A video, how well it fits the words (None: it was the only one), and the files it was written to."""

    video: Video
    score: float | None = None
    files: tuple[Path, ...] = ()


@dataclass(frozen=True, eq=False)
class VideoResult:
    """Videos of a sentence.

    Attributes:
        text: the sentence as it was read.
        videos: all that were drawn, the best first.
        judge: what ranked them.
    """

    text: str
    videos: tuple[RankedVideo, ...]
    judge: str = "none"

    @property
    def written(self) -> tuple[RankedVideo, ...]:
        """Those with files."""
        return tuple(each for each in self.videos if each.files)


def video(options: VideoOptions, context: Context) -> VideoResult:
    """Make small videos of what a sentence says.

    Args:
        options: what is made, and which files are written: of the best, or with `every` of all.
        context: models, progress, warnings; asked as tokens are drawn whether to stop.
    Raises: InputError for options that cannot be, a sentence of which the model knows no word, frames that it cannot
        go on from; Cancelled.
    """
    options.check()

    from laban.systems.capabilities import MakesVideo
    from laban.systems.registry import locate
    from laban.systems.requests import TextRequest

    locate(options.model)  # a wrong name is said before torch is loaded
    text, clock = options.sentence, context.clock
    with clock.part("import torch"):
        import torch  # noqa: F401
    with clock.part(f"load {options.model}"):
        system = context.models.load(MakesVideo, options.model, context.device)
    given = first_frames(system, options)
    warn_of_lost_words(system, text, context)
    asked = {
        "top_k": options.top_k, "temperature": options.temperature, "guidance": options.guidance, "given": given
    }  # fmt: skip

    def progress(done: int, total: int) -> None:
        context.check()
        context.progress(done, total, "tokens")

    with clock.part("generate"):
        videos = system.generate(
            [TextRequest(text)] * options.samples, seed=options.seed, progress=progress,
            **{name: value for name, value in asked.items() if value is not None},
        )  # fmt: skip
    ranked, judge = [RankedVideo(each) for each in videos], "none"
    if options.samples > 1:
        with clock.part("rank"):
            ranked, judge = rank(system, text, videos, options.clip)
    count = len(ranked) if options.every else 1
    shown = [_written(each, options, number, context) for number, each in enumerate(ranked[:count], start=1)]
    return VideoResult(text, (*shown, *ranked[count:]), judge)


def _written(each: RankedVideo, options: VideoOptions, number: int, context: Context) -> RankedVideo:
    from laban.io import frames

    files = options.files(number)
    for path in files:
        with context.clock.part(f"write {path.suffix[1:]}"):
            frames.write(each.video, path, options.size)
    return RankedVideo(each.video, each.score, files)


def first_frames(system: MakesVideo, options: VideoOptions) -> np.ndarray | None:
    """(keep, S, S, C) uint8 to go on from; None if none were named.

    Raises: InputError if the model has no frame left to make, or the file has too few.
    """
    if options.from_frames is None:
        return None
    from laban.io import frames

    keep = KEPT if options.keep is None else options.keep
    count, size, _, channels = system.shape
    if keep >= count:
        raise InputError(f"--keep is {keep}; the model makes {count} frames, so at most {count - 1}.")
    found = frames.read(options.from_frames, channels, size, keep)
    if len(found) < keep:
        raise InputError(
            f"{options.from_frames}: has {len(found)} frames, --keep wants {keep}. Keep fewer, or give a longer film."
        )
    return found


def warn_of_lost_words(system: MakesVideo, text: str, context: Context) -> None:
    """Warns of words that the model does not know and of those beyond its longest caption.

    Raises: InputError if no word is known.
    """
    reading = system.reading(text)
    read = len(reading.ids) - 1
    if read == len(reading.unknown):
        raise InputError(
            f"no word of {text!r} is known to this model. It knows {', '.join(system.known_words[:12])}, …"
        )
    if reading.unknown:
        unknown = ", ".join(dict.fromkeys(reading.unknown))
        context.warn(f"unknown words are read as one placeholder: {unknown}.")
    if reading.cut:
        context.warn(f"the sentence is cut after {read} words; lost: {' '.join(reading.cut)[:200]}.")


def rank(system: MakesVideo, text: str, videos: Sequence[Video], clip: Path | None) -> tuple[list[RankedVideo], str]:
    """The videos with their scores, the best first, and what scored them.

    Args:
        system: has a small score of its own.
        text: that the videos should fit.
        videos: of one shape.
        clip: a folder with a CLIP model to score by instead.
    """
    import numpy as np

    from laban.metrics.video import clipsim

    pixels = np.stack([v.pixels for v in videos])
    if clip is not None:
        from laban.condition.clip_towers import open_clip

        scores = clipsim(open_clip(clip), [text] * len(videos), pixels)
        judge = f"CLIP ({clip})"
    else:
        scores, judge = system.rate(pixels, [text] * len(videos)), "Laban's own small score, not CLIP"
    return [RankedVideo(videos[n], float(scores[n])) for n in np.argsort(-scores, kind="stable")], judge
