"""Scripts: lines of text become one long motion, or a stream of parts that are written as they are ready."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laban.actions.context import Clock, Context
from laban.actions.options import bounded, check, described
from laban.actions.outputs import FPS, check_outputs, write_all
from laban.errors import InputError
from laban.systems.kmm import script as reading
from laban.systems.kmm.script import Line
from laban.systems.options import GUIDANCE, SEED, STEPS, Bounds

if TYPE_CHECKING:
    from laban.motion.motion import Motion, Segment
    from laban.systems.capabilities import Composes

MAX_SECONDS = 7200.0  # of one script
DEFAULT_SECONDS = 4.0  # of a line that does not say, for that limit


@dataclass(frozen=True)
class ScriptOptions:
    """What is asked of `script`: `lines` or a `file` of them."""

    lines: tuple[str | Line, ...] = described(
        (), 'The script: "a person walks forward @4" "turns left @2" "waves with both hands @3".'
    )
    out: tuple[Path, ...] = described(
        (), "Files to write; the suffix says the format: .glb .bvh .npz .fbx .mp4 .gif .png .html."
    )
    file: Path | None = described(
        None,
        'A script file instead: one line each, # for comments; "a person bows @2 #seed 7" has a seed of its own.',
    )
    seed: int = bounded(0, SEED, "Which of the many motions that fit the script.")
    only: int | None = described(
        None,
        "Make this line again (from 1) and keep the others: nothing changes before it, and after it everything moves "
        "on as it was from where the new line ends.",
    )
    variation: int = bounded(1, Bounds(0, 2**31, whole=True), "Which other motion --only makes of its line: 1, 2, ...")
    text: str | None = described(None, "What happens instead in the line that --only names.")
    parts: float | None = bounded(
        None,
        Bounds(1, 600),
        "Write a file per so many seconds as soon as it is ready: long-001.glb, long-002.glb, ...; what is written "
        "stays whatever happens later. Feet are not cleaned up then.",
    )
    model: str = described("kmm", "Shipped weights by name, or a folder with weights.")
    fps: float = bounded(30.0, FPS, "Frames per second of the files.")
    steps: int | None = bounded(None, STEPS, "Rounds of the masked model per block: more is slower.")
    guidance: float | None = bounded(None, GUIDANCE, "How strongly the words are followed.")
    raw: bool = described(False, "Leave out the clean-up of feet.")

    def script(self) -> list[Line]:
        """The lines. Raises: InputError for none, two sources of them, a bad line, or a script that is too long."""
        if self.lines and self.file is not None:
            raise InputError("both lines and --file were given. Leave one of them out.")
        if not self.lines and self.file is None:
            raise InputError('there is no script. Write lines in quotes, "a person walks forward @4", or give --file.')
        lines = reading.parse(self.lines) if self.file is None else reading.read(self.file)
        total = sum(line.seconds or DEFAULT_SECONDS for line in lines)
        if total > MAX_SECONDS:
            raise InputError(
                f"the script lasts {total:.0f} s; expected at most {MAX_SECONDS:.0f} s in one command. Use several, or "
                "stream() in Python, which has no end."
            )
        return lines

    def check(self, lines: Sequence[Line]) -> None:
        """Raises InputError for whatever cannot be, before any work is done."""
        check(self)
        if self.out:
            check_outputs(self.out)
        if self.only is None:
            if self.text is not None:
                raise InputError("--text says what happens instead in the line that --only names; give --only too.")
            return
        if not 1 <= self.only <= len(lines):
            raise InputError(f"--only is {self.only}; the script has lines 1 to {len(lines)}.")
        if self.parts is not None:
            raise InputError("--only and --parts do not go together. Leave one of them out.")


@dataclass(frozen=True)
class ScriptPart:
    """One motion of a script, or of a part of it: a segment per line, and the files it was written to."""

    motion: Motion
    files: tuple[Path, ...] = ()


def script(options: ScriptOptions, context: Context) -> list[ScriptPart]:
    """Compose one motion for a script: one result, or with `parts` several that follow each other in one world.

    Args:
        options: the script, how it is performed, and which files are written.
        context: models, progress, warnings; asked before each part whether to stop.
    Raises: InputError for options that cannot be; Cancelled, after which the parts that were written stay.
    """
    return list(stream(options, context))


def stream(options: ScriptOptions, context: Context) -> Iterator[ScriptPart]:
    """As `script`, each part as soon as it is written, so that memory does not grow with the script.

    Args:
        options: as of `script`.
        context: as of `script`.
    Raises: as `script`, when the first part is asked for.
    """
    lines = options.script()
    options.check(lines)

    from laban.systems.capabilities import Composes
    from laban.systems.registry import locate

    locate(options.model)  # a wrong name is said before torch is loaded
    clock = context.clock
    with clock.part("import torch"):
        import torch  # noqa: F401
    with clock.part(f"load {options.model}"):
        system = context.models.load(Composes, options.model, context.device)
    context.check()
    if options.parts is None:
        yield _composed(options, lines, system, context)
    else:
        with clock.part("generate and write"):
            yield from _streamed(options, lines, system, context)
    known = system.text_encoder.encode([line.text for line in lines]).known.tolist()
    for number, (line, share) in enumerate(zip(lines, known, strict=True), start=1):
        if share == 0:
            context.warn(f"no word of line {number} ({line.text!r}) is understood, so its motion is arbitrary.")


def _composed(options: ScriptOptions, lines: list[Line], system: Composes, context: Context) -> ScriptPart:
    """The whole script as one motion."""
    edits = [] if options.only is None else [
        {"line": options.only, "variation": options.variation, "text": options.text}
    ]  # fmt: skip
    with context.clock.part("generate"):
        motion = system.compose(lines, options.seed, clean=not options.raw, edits=edits, **_settings(options))
    return _written(motion, options.out, options.fps, context)


def _streamed(options: ScriptOptions, lines: list[Line], system: Composes, context: Context) -> Iterator[ScriptPart]:
    """Parts of the script, each written before the next is made."""
    assert options.parts is not None
    quiet = replace(context, clock=Clock())  # the files' times are in those of the whole
    motions = system.stream(lines, options.seed, **_settings(options))
    for number, motion in enumerate(in_parts(motions, options.parts), start=1):
        context.check()
        files = tuple(path.with_name(f"{path.stem}-{number:03d}{path.suffix}") for path in options.out)
        request = {"script": [asdict(line) for line in lines], "part": number}
        motion = replace(motion, passport={**(motion.passport or {}), "request": request})
        yield _written(motion, files, options.fps, quiet)


def _settings(options: ScriptOptions) -> dict[str, Any]:
    asked = {"steps": options.steps, "guidance": options.guidance}
    return {name: value for name, value in asked.items() if value is not None}


def _written(motion: Motion, files: tuple[Path, ...], fps: float, context: Context) -> ScriptPart:
    motion = motion.resample(fps)
    write_all(motion, files, context, fps)
    return ScriptPart(motion, files)


def in_parts(motions: Iterable[Motion], seconds: float) -> Iterator[Motion]:
    """Motions that follow each other, joined to parts of at least that length."""
    waiting: list[Motion] = []
    for motion in motions:
        waiting.append(motion)
        if sum(m.seconds for m in waiting) >= seconds:
            yield _joined(waiting)
            waiting = []
    if waiting:
        yield _joined(waiting)


def _joined(parts: Sequence[Motion]) -> Motion:
    from laban.systems.kmm.placing import joined

    return joined(parts, segments_of(parts), parts[0].passport or {})


def segments_of(parts: Sequence[Motion]) -> tuple[Segment, ...]:
    """The segments of parts in a row, in seconds from the first part's start; neighbours of one text are one."""
    result: list[Segment] = []
    offset = 0.0
    for part in parts:
        for segment in part.segments:
            moved = replace(segment, start=segment.start + offset, end=segment.end + offset)
            if result and result[-1].text == moved.text and abs(result[-1].end - moved.start) < 1e-6:
                result[-1] = replace(result[-1], end=moved.end)
            else:
                result.append(moved)
        offset += part.seconds
    return tuple(result)
