"""Edit a motion: regenerate stretches of it from sentences, go on after its end, or lead over into another motion."""

from __future__ import annotations

import math
from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from laban.actions.context import Context
from laban.actions.files import check_source
from laban.actions.inputs import MAX_SECONDS, checked, motion_of
from laban.actions.options import bounded, check, described
from laban.actions.outputs import check_outputs, write_all
from laban.actions.wearing import Wearing
from laban.authoring.short import Short
from laban.errors import InputError
from laban.systems.options import GUIDANCE, SEED, STEPS, Bounds

if TYPE_CHECKING:
    from laban.actions.inpainting import Draws, Seam
    from laban.authoring.report import Report
    from laban.character.certificate import Certificate
    from laban.character.stance import Stance
    from laban.motion.motion import Motion
    from laban.systems.capabilities import Inpaints

LENGTH = Bounds(0.1, MAX_SECONDS)
SAMPLES = Bounds(1, 64, whole=True)
LOOPED, SPREAD = 0.75, 0.33  # of a clip: how long a cycle is cut out of it, and by what share that may differ
GLIDES = 0.25  # share of frames without a standing foot; captured walks have 0.05, the worst tenth 0.14


@dataclass(frozen=True)
class Range:
    """A stretch of a clip in seconds; None stands for an end of the clip."""

    start: float | None = None
    end: float | None = None

    @classmethod
    def parse(cls, text: str) -> Range:
        """`1.0:2.5`, `:2` or `4:` in seconds. Raises: InputError for anything else."""
        start, colon, end = text.partition(":")
        try:
            both = tuple(float(part) if part.strip() else None for part in (start, end))
        except ValueError:
            both = (math.nan, math.nan)
        if not colon or any(v is not None and not (math.isfinite(v) and v >= 0) for v in both):
            raise InputError(f"--range {text}: expected START:END in seconds, such as 1.0:2.5, :2 or 4:.")
        if both[0] is not None and both[1] is not None and both[0] >= both[1]:
            raise InputError(f"--range {text}: starts at or after its end; expected START before END.")
        return cls(*both)

    def frames(self, clip: Motion) -> tuple[int, int]:
        """Frames [first, last) of a clip. Raises: InputError if the range does not lie in it."""
        length = clip.frames / clip.fps
        for value in (self.start, self.end):
            if value is not None and value > length + 0.5 / clip.fps:
                raise InputError(f"--range: {value:g} s lies outside the clip, which lasts {length:.2f} s.")
        first = 0 if self.start is None else round(self.start * clip.fps)
        last = clip.frames if self.end is None else round(self.end * clip.fps)
        return first, min(last, clip.frames)


@dataclass(frozen=True)
class EditOptions:
    """What is asked of `edit`: one of `range`, `extend` and `then`."""

    source: Path | Motion = described(MISSING, "The motion: a humanoid .bvh, an .npz or .glb of Laban.")
    text: tuple[str, ...] = described((), "What happens in a stretch. Repeat it, once per --range.")
    range: tuple[str | Range, ...] = described(
        (), "A stretch in seconds: 1.0:2.5, or :2 from the beginning, or 4: to the end. Repeatable."
    )
    extend: float | None = bounded(None, LENGTH, "Go on for so many seconds after the end, as --text says.")
    then: Path | Motion | None = described(
        None, "Lead over into this motion, through --gap seconds of --text. It is turned and moved as a whole."
    )
    gap: float | None = bounded(None, LENGTH, "Seconds between the two motions.")
    out: tuple[Path, ...] = described(
        (), "Files to write; the suffix says the format: .glb .bvh .npz .fbx .mp4 .gif .png .html."
    )
    seed: int = bounded(0, SEED, "Which of the many motions that fit.")
    samples: int = bounded(4, SAMPLES, "Drawn for each stretch; the best is taken.")
    model: str = described("momask", "Shipped weights by name, or a folder with weights.")
    steps: int | None = bounded(None, STEPS, "Rounds of the masked model: more is slower.")
    guidance: float | None = bounded(None, GUIDANCE, "How strongly the words are followed.")
    text_encoder: Path | None = described(None, "CLIP's weights, for imported models.")
    parts: tuple[str, ...] = described(
        (), "Only these parts of the body are made anew: left_arm right_arm arms head upper left_leg right_leg legs."
    )
    wearing: Wearing = Wearing()
    short: Short = Short()

    @property
    def authored(self) -> bool:
        """Whether it takes a timeline to say what is asked."""
        return self.short.given or bool(self.parts)

    @property
    def ranges(self) -> list[Range]:
        """The stretches. Raises: InputError for one that is none."""
        return [Range.parse(r) if isinstance(r, str) else r for r in self.range]

    @property
    def texts(self) -> list[str]:
        """The texts, with single spaces. Raises: InputError for one that is too long or no text."""
        return [checked(text, f"--text {number}") for number, text in enumerate(self.text, start=1)]

    def check(self) -> None:
        """Raises InputError for whatever cannot be, before any work is done."""
        check(self)
        if self.out:
            check_outputs(self.out, self.wearing.formats)
        if isinstance(self.source, Path):
            check_source(self.source)
            if any(path.resolve() == self.source.resolve() for path in self.out):
                raise InputError(f"{self.source} would be overwritten. Name another --out.")
        if self.authored:
            self._check_authored()
            return
        if not self.texts or not all(self.texts):
            raise InputError("--text is missing or empty. Say what the person does in the stretch.")
        ways = {"--range": self.range, "--extend": self.extend, "--then": self.then is not None}
        given = [name for name, value in ways.items() if value]
        if len(given) != 1:
            raise InputError(f"got {' and '.join(given) or 'no --range'}; expected one of --range, --extend, --then.")
        if self.range and len(self.ranges) != len(self.texts):
            raise InputError(
                f"got {len(self.texts)} --text and {len(self.range)} --range; expected one text per range."
            )
        if not self.range and len(self.texts) != 1:
            raise InputError(f"got {len(self.texts)} --text; expected one with {given[0]}.")
        if (self.gap is None) == (self.then is not None):
            raise InputError("--then and --gap belong together. Give the second motion and the seconds in between.")
        if isinstance(self.then, Path):
            check_source(self.then)

    def _check_authored(self) -> None:
        if not isinstance(self.source, Path):
            raise InputError("loops, parts, poses, paths and places need the motion as a file. Write it first.")
        if self.extend is not None or self.then is not None:
            raise InputError("--extend and --then do not go with loops, parts, poses, paths, places. Use two commands.")
        if len(self.range) not in (len(self.text), 0) or (self.range and not self.text):
            raise InputError(f"got {len(self.text)} --text and {len(self.range)} --range; expected one text per range.")
        if self.parts and not self.text:
            raise InputError("--parts says what --text is for. Say what these parts do.")


@dataclass(frozen=True)
class EditResult:
    """An edited motion.

    Attributes:
        motion: at the source's frame rate; its passport says what was asked.
        seams: the joins of its made stretches, in order.
        certificate: how well a character wears it; None without one.
        report: what became of loops, poses, paths and places; None without.
    """

    motion: Motion
    seams: tuple[Seam, ...]
    certificate: Certificate | None = None
    report: Report | None = None


def edit(options: EditOptions, context: Context) -> EditResult:
    """Regenerate stretches of a motion from sentences, extend it, or bridge to another motion.

    Frames outside the stretches stay as they are: on the 22 joints of HumanML3D bit for bit, and any other humanoid is
    put onto them first.

    Args:
        options: what is changed, and which files are written.
        context: models, progress, warnings; asked before each stretch whether to stop.
    Raises: InputError for options that cannot be, or a stretch that the model cannot fill; Cancelled.
    """
    options.check()
    stance = options.wearing.check(options.out)

    from laban.actions.inpainting import Draws
    from laban.systems.capabilities import Inpaints
    from laban.systems.registry import locate

    if options.authored:
        return _authored(options, stance, context)

    locate(options.model)  # a wrong name is said before torch is loaded
    clip, clock = motion_of(options.source, context), context.clock
    with clock.part(f"load {options.model}"):
        system = context.models.load(Inpaints, options.model, context.device, text_encoder=options.text_encoder)
    draws = Draws(options.seed, options.samples, {"steps": options.steps, "guidance": options.guidance})
    with clock.part("edit"):
        motion, seams = _edited(options, clip, system, draws, context)
    for text, known in zip(options.texts, system.text_encoder.encode(options.texts).known.tolist(), strict=True):
        if known == 0:
            context.warn(f"no word of {text!r} is understood, so the motion is arbitrary. Write plain English.")
    if options.range:
        for text, each in zip(options.texts, options.ranges, strict=True):
            if glides(motion, text, *each.frames(clip)):
                context.warn(
                    f"in the stretch of {text!r} the feet glide: what follows it lies where other steps led. Make all "
                    "that follows anew (--range 2: instead of 2:4), or use laban script."
                )
    if stance is not None:
        with clock.part("retarget and write"):
            made = options.wearing.write(stance, motion, options.out, context)
        return EditResult(motion, seams, made.certificate)
    write_all(motion, options.out, context, motion.fps)
    return EditResult(motion, seams)


def _authored(options: EditOptions, stance: Stance | None, context: Context) -> EditResult:
    """The source as a timeline with parts, poses, a path, places or a loop."""
    from laban.authoring.author import author
    from laban.authoring.timeline import Prompt, Source, Timeline

    assert isinstance(options.source, Path)
    clip = motion_of(options.source, context)
    spans = [each.frames(clip) for each in options.ranges] or [(0, clip.frames)] * len(options.text)
    prompts = tuple(
        Prompt(first / clip.fps, last / clip.fps, text, parts=options.parts or ("all",))
        for text, (first, last) in zip(options.texts, spans, strict=True)
    )
    alone = options.short.loop and not prompts and not options.short.goals(clip.seconds)
    bare = Timeline(
        _cycle(clip) if alone else clip.seconds, fps=min(clip.fps, 240.0), seed=options.seed, prompts=prompts,
        source=Source(str(options.source)),
        model="auto" if options.model == "momask" else options.model,
    )  # fmt: skip
    timeline = options.short.onto(bare)
    if options.short.save_timeline is not None:
        timeline.write(options.short.save_timeline)
    made = author(timeline, context, allow_outside=True)
    if stance is not None:
        certificate = options.wearing.write(stance, made.motion, options.out, context).certificate
        return EditResult(made.motion, (), certificate, made.report)
    write_all(made.motion, options.out, context, made.motion.fps)
    return EditResult(made.motion, (), None, made.report)


def _cycle(clip: Motion) -> float:
    """Seconds of the longest stretch of a clip that comes nearest to repeating itself, in whole tokens."""
    from laban.authoring.base import GRID, TOKEN
    from laban.authoring.resolved import ours
    from laban.motion import loops, warp

    first, last = loops.cut(warp.at_rate(ours(clip), GRID), LOOPED * clip.seconds, SPREAD)
    return round((last - first) / TOKEN) * TOKEN / GRID


def glides(motion: Motion, text: str, first: int, last: int) -> bool:
    """Whether frames [first, last), which are to walk or turn, have no standing foot in more than GLIDES of them."""
    from laban.actions.best_of import STEPS
    from laban.metrics.gait import no_standing_foot
    from laban.motion.skeletons import HUMANML22

    if motion.skeleton.names != HUMANML22.names or last - first < 4 or not STEPS.search(text.lower()):
        return False
    return no_standing_foot(motion.joints()[first:last], motion.fps) > GLIDES


def _edited(
    options: EditOptions, clip: Motion, system: Inpaints, draws: Draws, context: Context
) -> tuple[Motion, tuple[Seam, ...]]:
    """The motion and its seams, in one of the three ways."""
    from laban.actions.inpainting import extend, replace_stretches
    from laban.systems.requests import Stretch

    if options.range:
        frames = [each.frames(clip) for each in options.ranges]
        stretches = [Stretch(text, *each) for text, each in zip(options.texts, frames, strict=True)]
        return replace_stretches(system, clip, stretches, draws, context)
    then = None if options.then is None else motion_of(options.then, context)
    seconds = options.extend if options.gap is None else options.gap
    assert seconds is not None
    return extend(system, clip, options.texts[0], seconds, then, draws, context)
