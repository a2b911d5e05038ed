"""`laban edit`: a stretch of a motion file is made anew by words; the rest stays."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

import tyro
from tyro.conf import Positional

from laban.commands.character import Wearing
from laban.commands.convert import check_source
from laban.commands.inputs import MAX_SECONDS, checked, give_encoder
from laban.commands.output import Clock, check_number, check_outputs, passport_lines, print_json, warn, write
from laban.errors import InputError
from laban.systems.options import GUIDANCE, SEED, STEPS

Words = Annotated[tuple[str, ...], tyro.conf.UseAppendAction]


def edit(
    source: Positional[Path],
    text: Words = (),
    range: Words = (),
    extend: float | None = None,
    then: Path | None = None,
    gap: float | None = None,
    out: tuple[Path, ...] = (Path("edited.glb"),),
    seed: int = 0,
    samples: int = 4,
    model: str = "momask",
    steps: int | None = None,
    guidance: float | None = None,
    text_encoder: Path | None = None,
    character: Path | None = None,
    map: Path | None = None,
    in_place: bool = False,
    append: bool = False,
    device: str = "auto",
    json: bool = False,
    quiet: bool = False,
) -> int:
    """Change a stretch of a motion by a sentence, go on after its end, or lead over into another motion.

    Frames outside the stretch stay as they are: on the 22 joints of HumanML3D bit for bit, and any other humanoid is
    put onto them first, as `laban convert --retarget` does. The joins are measured and printed.

    Args:
        source: The motion: a humanoid .bvh, an .npz or .glb of Laban.
        text: What happens in a stretch. Repeat it, once per --range.
        range: A stretch in seconds: 1.0:2.5, or :2 from the beginning, or 4: to the end. Repeatable.
        extend: Go on for so many seconds after the end, as --text says.
        then: Lead over into this motion, through --gap seconds of --text. It is turned and moved as a whole.
        gap: Seconds between the two motions.
        out: Files to write; the suffix says the format: .glb .bvh .npz .mp4 .gif .png .html.
        seed: Which of the many motions that fit.
        samples: Drawn for each stretch; the best is taken.
        model: Shipped weights by name, or a folder with weights.
        steps: Rounds of the masked model: more is slower.
        guidance: How strongly the words are followed.
        text_encoder: CLIP's weights, for imported models.
        character: Your own rigged humanoid (.glb, .vrm, .gltf) to wear the result, with a certificate beside it.
        map: A mapping file for the character, from `laban character inspect`.
        in_place: With --character: take the path out of the root.
        append: With --character: put the clip behind the file's own animations.
        device: cpu, cuda or auto.
        json: Print one JSON object.
        quiet: Print only warnings and errors.
    """
    wearing = Wearing(character, map, in_place, append)
    check_outputs(out, wearing.formats)
    stance = wearing.check(out)
    check_source(source)
    if any(path.resolve() == source.resolve() for path in out):
        raise InputError(f"{source} would be overwritten. Name another --out.")
    texts = [checked(t, f"--text {i + 1}") for i, t in enumerate(text)]
    if not texts or not all(t.strip() for t in texts):
        raise InputError("--text is missing or empty. Say what the person does in the stretch.")
    ways = [name for name, given in (("--range", range), ("--extend", extend), ("--then", then)) if given]
    if len(ways) != 1:
        raise InputError(f"got {' and '.join(ways) or 'no --range'}; expected one of --range, --extend, --then.")
    ranges = [parsed(r) for r in range]
    if ranges and len(ranges) != len(texts):
        raise InputError(f"got {len(texts)} --text and {len(ranges)} --range; expected one text per range.")
    if not ranges and len(texts) != 1:
        raise InputError(f"got {len(texts)} --text; expected one with {ways[0]}.")
    if (gap is None) == (then is not None):
        raise InputError("--then and --gap belong together. Give the second motion and the seconds in between.")
    for name, value, low, high in (
        ("--extend", extend, 0.1, MAX_SECONDS), ("--gap", gap, 0.1, MAX_SECONDS), ("--seed", seed, SEED.low, SEED.high),
        ("--samples", samples, 1, 64), ("--steps", steps, STEPS.low, STEPS.high),
        ("--guidance", guidance, GUIDANCE.low, GUIDANCE.high),
    ):  # fmt: skip
        check_number(name, value, low, high)
    if then is not None:
        check_source(then)

    import laban
    from laban.systems.capabilities import Inpaints, load_as
    from laban.systems.registry import locate

    locate(model)
    clip = laban.read(source)
    clock = Clock()
    with clock.part(f"load {model}"):
        system: Any = load_as(Inpaints, model, device)
        if text_encoder is not None:
            give_encoder(system, text_encoder)
    from laban.systems.momask.editing import Edit, join
    from laban.systems.momask.editing import edit as edited

    options = {"steps": steps, "guidance": guidance}
    with clock.part("edit"):
        if ranges:
            frames = [frames_of(r, clip.frames, clip.fps) for r in ranges]
            edits = [Edit(t, first, last) for t, (first, last) in zip(texts, frames, strict=True)]
            result = edited(system, clip, edits, seed, samples, **options)
        else:
            other = None if then is None else laban.read(then)
            length = gap if gap is not None else extend
            assert length is not None
            result = join(system, clip, texts[0], length, other, seed, samples, **options)
    for t, known in zip(texts, system.text_encoder.encode(texts).known.tolist(), strict=True):
        if known == 0:
            warn(f"no word of {t!r} is understood, so the motion is arbitrary. Write plain English.")
    motion = result.motion
    certificate = None
    if stance is not None:
        with clock.part("retarget and write"):
            certificate = wearing.write(stance, motion, list(out)).certificate
    else:
        for path in out:
            with clock.part(f"write {path.suffix[1:]}"):
                write(motion, path, motion.fps, quiet)
    facts: dict[str, Any] = {"files": [str(p.resolve()) for p in out], "frames": motion.frames, "fps": motion.fps,
             "seconds": round(motion.seconds, 4)}  # fmt: skip
    if json:
        seams = [{k: v if math.isfinite(v) else None for k, v in vars(s).items()} for s in result.seams]
        worn = {} if certificate is None else {"certificate": certificate.record()}
        print_json({**facts, **worn, "seams": seams, "passport": motion.passport})
    elif not quiet:
        print(f"{motion.seconds:.2f} s, {motion.frames} frames at {motion.fps:g} fps")
        print("\n".join(f"  {path}" for path in facts["files"]))
        for s in result.seams:
            usual = f"frames that stayed: median {1000 * s.median:.1f}, highest {1000 * s.highest:.1f} mm"
            print(f"seam at {s.seconds:.2f} s: {1000 * s.error:.1f} mm ({usual})")
        print("\n".join(["time", *clock.lines(), "passport", *passport_lines(motion.passport)]))
        print("\n".join(certificate.lines() if certificate else ()), end="\n" if certificate else "")
    return int(certificate is not None and not certificate.passed)


def parsed(said: str) -> tuple[float | None, float | None]:
    """`1.0:2.5`, `:2` or `4:` as seconds; None stands for an end of the clip. InputError for anything else."""
    start, colon, end = said.partition(":")
    try:
        both = tuple(float(part) if part.strip() else None for part in (start, end))
    except ValueError:
        both = (math.nan, math.nan)
    if not colon or any(v is not None and not (math.isfinite(v) and v >= 0) for v in both):
        raise InputError(f"--range {said}: expected START:END in seconds, such as 1.0:2.5, :2 or 4:.")
    if both[0] is not None and both[1] is not None and both[0] >= both[1]:
        raise InputError(f"--range {said}: starts at or after its end; expected START before END.")
    return both[0], both[1]


def frames_of(seconds: tuple[float | None, float | None], frames: int, fps: float) -> tuple[int, int]:
    """Frames [first, last) of a range. InputError if it does not lie in the clip."""
    length = frames / fps
    for value in seconds:
        if value is not None and value > length + 0.5 / fps:
            raise InputError(f"--range: {value:g} s lies outside the clip, which lasts {length:.2f} s.")
    first = 0 if seconds[0] is None else round(seconds[0] * fps)
    last = frames if seconds[1] is None else round(seconds[1] * fps)
    return first, min(last, frames)
