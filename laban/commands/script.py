"""`laban script`: lines of text become one long motion."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tyro.conf import Positional

from laban.commands.output import (
    Clock,
    check_number,
    check_option,
    check_outputs,
    passport_lines,
    print_json,
    warn,
    write,
)
from laban.errors import InputError
from laban.systems.options import GUIDANCE, SEED, STEPS

if TYPE_CHECKING:
    from laban.motion.motion import Motion
    from laban.systems.kmm.script import Line

MOST_SECONDS = 7200.0  # of one file


def script(
    lines: Positional[tuple[str, ...]] = (),
    out: tuple[Path, ...] = (Path("script.glb"),),
    file: Path | None = None,
    seed: int = 0,
    only: int | None = None,
    variation: int = 1,
    text: str | None = None,
    parts: float | None = None,
    model: str = "kmm",
    fps: float = 30.0,
    steps: int | None = None,
    guidance: float | None = None,
    raw: bool = False,
    device: str = "auto",
    json: bool = False,
    quiet: bool = False,
) -> int:
    """Make a person who does one thing after the other, without a cut.

    A line is what happens and for how many seconds: "a person walks forward @4". Lines follow each other without
    overlap: at 20 frames per second each ends with the token of four frames that its last frame falls into. What lies
    within 0.8 s of a seam is made knowing both lines.

    Args:
        lines: The script: "a person walks forward @4" "turns left @2" "waves with both hands @3".
        out: Files to write; the suffix says the format: .glb .bvh .npz .mp4 .gif .png .html.
        file: A script file instead: one line each, # for comments; "a person bows @2 #seed 7" has a seed of its own.
        seed: Which of the many motions that fit the script.
        only: Make this line again (from 1) and keep the others: nothing changes before it, and after it everything
            moves on as it was from where the new line ends.
        variation: Which other motion --only makes of its line: 1, 2, ...
        text: What happens instead in the line that --only names.
        parts: Write a file per so many seconds as soon as it is ready: long-001.glb, long-002.glb, ...; what is
            written stays whatever happens later. Feet are not cleaned up then.
        model: Shipped weights by name, or a folder with weights.
        fps: Frames per second of the files.
        steps: Rounds of the masked model per block: more is slower.
        guidance: How strongly the words are followed.
        raw: Leave out the clean-up of feet.
        device: cpu, cuda or auto.
        json: Print one JSON object.
        quiet: Print only warnings and errors.
    """
    check_outputs(out)
    check_number("--fps", fps, 1, 240)
    check_option("--seed", seed, SEED)
    check_option("--steps", steps, STEPS)
    check_option("--guidance", guidance, GUIDANCE)
    check_number("--variation", variation, 0, 2**31)
    check_number("--parts", parts, 1, 600)
    wanted = read_script(lines, file)
    check_only(only, text, parts, wanted)

    from laban.systems.capabilities import Composes, load_as
    from laban.systems.registry import locate

    locate(model)  # a wrong name is said before torch is loaded
    clock = Clock()
    with clock.part("import torch"):
        import torch  # noqa: F401
    with clock.part(f"load {model}"):
        system: Any = load_as(Composes, model, device)
    options = {name: value for name, value in (("steps", steps), ("guidance", guidance)) if value is not None}
    results: list[dict[str, Any]] = []
    if parts is None:
        edits = [] if only is None else [{"line": only, "variation": variation, "text": text}]
        with clock.part("generate"):
            motion = system.compose(wanted, seed, clean=not raw, edits=edits, **options)
        results.append(written(motion, out, fps, clock, quiet))
    else:
        with clock.part("generate and write"):
            for number, motion in enumerate(in_parts(system.stream(wanted, seed, **options), parts), start=1):
                names = tuple(p.with_name(f"{p.stem}-{number:03d}{p.suffix}") for p in out)
                results.append(written(motion, names, fps, Clock(), quiet))
    known = system.text_encoder.encode([line.text for line in wanted]).known.tolist()
    for number, (line, share) in enumerate(zip(wanted, known, strict=True), start=1):
        if share == 0:
            warn(f"no word of line {number} ({line.text!r}) is understood, so its motion is arbitrary.")
    if json:
        print_json({"results": results, "timings": {name: round(s, 4) for name, s in clock.parts.items()}})
    elif not quiet:
        print("\n".join(story(results, clock)))
    return 0


def read_script(lines: tuple[str, ...], file: Path | None) -> list[Line]:
    """The lines of the command or of a file. Raises: InputError for neither, both, or a script too long."""
    from laban.systems.kmm import script as reading

    if lines and file is not None:
        raise InputError("both lines and --file were given. Leave one of them out.")
    if not lines and file is None:
        raise InputError('there is no script. Write lines in quotes, "a person walks forward @4", or give --file.')
    found = reading.parse(lines) if file is None else reading.read(file)
    total = sum(line.seconds or 4.0 for line in found)
    if total > MOST_SECONDS:
        raise InputError(
            f"the script lasts {total:.0f} s; expected at most {MOST_SECONDS:.0f} s in one command. Use several, or "
            "stream() in Python, which has no end."
        )
    return found


def check_only(only: int | None, text: str | None, parts: float | None, lines: list[Line]) -> None:
    """Raises InputError for a line that is not there, or options that do not go together."""
    if only is None:
        if text is not None:
            raise InputError("--text says what happens instead in the line that --only names; give --only too.")
        return
    if not 1 <= only <= len(lines):
        raise InputError(f"--only is {only}; the script has lines 1 to {len(lines)}.")
    if parts is not None:
        raise InputError("--only and --parts do not go together. Leave one of them out.")


def in_parts(stream: Any, seconds: float) -> Any:
    """Motions of a stream, joined to parts of at least that length."""
    from laban.systems.kmm.placing import joined

    waiting: list[Motion] = []
    for motion in stream:
        waiting.append(motion)
        if sum(m.seconds for m in waiting) >= seconds:
            yield joined(waiting, merged(waiting), waiting[0].passport or {})
            waiting = []
    if waiting:
        yield joined(waiting, merged(waiting), waiting[0].passport or {})


def merged(parts: list[Motion]) -> tuple[Any, ...]:
    """The segments of parts in a row, in seconds from the first part's start; neighbours of one text are one."""
    from dataclasses import replace

    result: list[Any] = []
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


def written(made: Motion, files: tuple[Path, ...], fps: float, clock: Clock, quiet: bool) -> dict[str, Any]:
    """Write a motion and say what it is."""
    motion = made.resample(fps)
    for path in files:
        with clock.part(f"write {path.suffix[1:]}"):
            write(motion, path, fps, quiet)
    return {
        "files": [str(path.resolve()) for path in files],
        "frames": motion.frames,
        "fps": motion.fps,
        "seconds": round(motion.seconds, 4),
        "segments": [{"text": s.text, "start": round(s.start, 3), "end": round(s.end, 3)} for s in motion.segments],
        "passport": motion.passport,
    }


def story(results: list[dict[str, Any]], clock: Clock) -> list[str]:
    """What a person reads at the end."""
    lines = []
    for result in results:
        lines.append(f"{result['seconds']:.2f} s, {result['frames']} frames at {result['fps']:g} fps")
        lines += [f"  {s['start']:7.2f} to {s['end']:7.2f} s  {s['text']}" for s in result["segments"]]
        lines += [f"  {path}" for path in result["files"]]
    lines += ["time", *clock.lines()]
    lines += ["passport" if len(results) == 1 else f"passport of the first of {len(results)}"]
    return lines + passport_lines(results[0]["passport"])
