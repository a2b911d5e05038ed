"""`laban generate`: sentences become motion files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tyro.conf import Positional

from laban.actions import generate as actions
from laban.actions.generate import MODEL, GenerateOptions
from laban.actions.inputs import sentences
from laban.actions.options import flags
from laban.actions.outputs import check_outputs
from laban.actions.wearing import Wearing
from laban.commands.output import console, passport_lines, print_json

if TYPE_CHECKING:
    from laban.actions.context import Clock
    from laban.actions.generate import Generated


def generate(
    text: Positional[str] = "",
    out: tuple[Path, ...] = (Path("motion.glb"),),
    seconds: float | None = None,
    seed: int = 0,
    samples: int | None = None,
    best: int | None = None,
    text_encoder: Path | None = None,
    prompts: Path | None = None,
    model: str = MODEL,
    licence: Literal["any", "commercial"] = "any",
    library: Path | None = None,
    fps: float = 30.0,
    steps: int | None = None,
    guidance: float | None = None,
    raw: bool = False,
    as_is: bool = False,
    strict: bool = False,
    precision: Literal["32", "bf16"] = "32",
    character: Path | None = None,
    map: Path | None = None,
    in_place: bool = False,
    append: bool = False,
    device: str = "auto",
    json: bool = False,
    quiet: bool = False,
) -> int:
    """Make a person who does what a sentence says.

    "then", "while", "twice", "for five seconds", "in a circle" and the like become a plan, which is printed. Actions
    that the model was not trained on are named, with the nearest that it knows (`laban vocabulary` lists them all).

    The same words, length and seed give the same motion on the same machine. The passport, which is printed and
    kept with the files, says what was asked, which weights answered and under which licence.

    Args:
        text: What the person does, in English, in quotes: "a person walks forward and turns left".
        out: Files to write; the suffix says the format: .glb .bvh .npz .mp4 .gif .png .html. With several samples
            walk.glb becomes walk-1.glb, walk-2.glb; with --prompts it becomes walk-001.glb, walk-002.glb.
        seconds: Length of the motion; estimated from the words if not given.
        seed: Which of the many motions that fit the words.
        samples: Motions to draw per sentence. All are written, unless --best says how many.
        best: Of those drawn, write only this many: those that do what the sentence says where there is a rule for it,
            and then those whose feet slide and sink least. If neither is given, the best of 4 is written (of large
            models the first and only one); --samples 1 draws one.
        text_encoder: CLIP's weights, for imported models: a Hugging Face folder, or a .pt of OpenAI or open_clip.
        prompts: A file with one sentence per line, instead of TEXT; blank lines and # comments are skipped.
        model: Shipped weights by name (kmm, momask, motionclip), or a folder with weights.
        licence: any, or commercial for the weights whose training data allows commercial use.
        library: A folder of motions that answers first: its best clip is taken, fitted in length, where it matches
            the words better than what is generated.
        fps: Frames per second of the files.
        steps: Rounds of the masked model: more is slower.
        guidance: How strongly the words are followed.
        precision: bf16 is faster on processors with matrix units (AMX, CUDA), slower on others; other motions.
        raw: Leave out the clean-up of feet and jitter.
        as_is: Take the sentence as one action: no plan of steps, no mended spelling.
        strict: Exit with 1 where the data does not show what is asked, or no motion does it.
        character: Your own rigged humanoid (.glb, .vrm, .gltf) to wear the motion; the files may then be .glb .vrm
            .vrma .bvh .npz .fbx .usda .mp4 .gif .png, and a certificate lies beside each.
        map: A mapping file for the character, from `laban character inspect`.
        in_place: With --character: take the path out of the root.
        append: With --character: put the clip behind the file's own animations.
        device: cpu, cuda or auto.
        json: Print one JSON object.
        quiet: Print only warnings and errors.
    """
    wearing = Wearing(character, map, in_place, append)
    options = GenerateOptions(
        tuple(sentences(text, prompts)), out, seconds, seed, samples, best, model, licence, text_encoder, library, fps,
        steps, guidance, precision, raw, as_is, numbered=prompts is not None, wearing=wearing,
    )  # fmt: skip
    check_outputs(out, wearing.formats)
    options.checked(flags(options))
    context = console(device, quiet or (prompts is None))
    results = actions.generate(options, context)
    told = [record(result) for result in results]
    if json:
        timings = {name: round(seconds, 4) for name, seconds in context.clock.parts.items()}
        print_json({"results": told, "timings": timings})
    elif not quiet:
        certificates = [line for r in results if r.certificate is not None for line in r.certificate.lines()]
        print("\n".join([*summary_lines(results, told, context.clock), *certificates]))
    failed = any(r.certificate is not None and not r.certificate.passed for r in results)
    return int(failed or (strict and not all(r.known for r in results)))


def record(result: Generated) -> dict[str, Any]:
    """One result for JSON."""
    motion = result.motion
    certificate = {} if result.certificate is None else {"certificate": result.certificate.record()}
    return {
        **certificate,
        "text": result.text,
        "files": [str(path.resolve()) for path in result.files],
        "frames": motion.frames,
        "fps": motion.fps,
        "seconds": round(motion.seconds, 4),
        "reading": None if result.reading is None else result.reading.to_dict(),
        "passport": motion.passport,
    }


def summary_lines(results: list[Generated], told: list[dict[str, Any]], clock: Clock) -> list[str]:
    """What a person reads at the end: files, plans, times, passport."""
    lines = []
    for made, result in zip(results, told, strict=True):
        length = f"{result['seconds']:.2f} s, {result['frames']} frames at {result['fps']:g} fps"
        lines.append(f"{result['text']!r}: {length}")
        if made.reading is not None and not made.reading.plan.plain and (made.motion.passport or {}).get("plan"):
            lengths = [round(s.end - s.start, 1) for s in made.motion.segments]
            plan = made.reading.plan
            lines.append(f"  plan: {plan.summary(lengths if len(lengths) == len(plan.steps) else None)}")
        lines += [f"  {path}" for path in result["files"]]
        compared = (result["passport"] or {}).get("library")
        if compared:
            better = ("taken from", "better") if compared["taken"] else ("generated, not", "no better")
            lines.append(
                f"  {better[0]} {compared['file']}: it matches {better[1]} ({compared['score']:.3f}; generated "
                f"{compared['generated_score']:.3f})"
            )
    lines += ["time", *clock.lines()]
    lines += ["passport" if len(results) == 1 else f"passport of the first of {len(results)}"]
    return lines + passport_lines(told[0]["passport"])
