"""`laban generate`: sentences become motion files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tyro.conf import Positional

from laban.commands.character import Wearing
from laban.commands.inputs import MAX_SECONDS, give_encoder, sentences
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
from laban.formats import WRITERS
from laban.systems.options import GUIDANCE, SEED, STEPS

if TYPE_CHECKING:
    from laban.motion.motion import Motion

MOST_RESULTS = 10_000  # motions of one command


def generate(
    text: Positional[str] = "",
    out: tuple[Path, ...] = (Path("motion.glb"),),
    seconds: float | None = None,
    seed: int = 0,
    samples: int | None = None,
    best: int | None = None,
    text_encoder: Path | None = None,
    prompts: Path | None = None,
    model: str = "momask",
    library: Path | None = None,
    fps: float = 30.0,
    steps: int | None = None,
    guidance: float | None = None,
    raw: bool = False,
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
        model: Shipped weights by name (momask, motionclip), or a folder with weights.
        library: A folder of motions that answers first: its best clip is taken, fitted in length, where it matches
            the words better than what is generated.
        fps: Frames per second of the files.
        steps: Rounds of the masked model: more is slower.
        guidance: How strongly the words are followed.
        precision: bf16 is faster on processors with matrix units (AMX, CUDA), slower on others; other motions.
        raw: Leave out the clean-up of feet and jitter.
        character: Your own rigged humanoid (.glb, .vrm, .gltf) to wear the motion; the files may then be .glb .vrm
            .vrma .bvh .npz .fbx .usda .mp4 .gif .png, and a certificate lies beside each.
        map: A mapping file for the character, from `laban character inspect`.
        in_place: With --character: take the path out of the root.
        append: With --character: put the clip behind the file's own animations.
        device: cpu, cuda or auto.
        json: Print one JSON object.
        quiet: Print only warnings and errors.
    """
    kept = best or samples or 1
    plan = Plan(sentences(text, prompts), out, kept, numbered=prompts is not None)
    wearing = Wearing(character, map, in_place, append)
    stance = wearing.check(out)
    plan.check(wearing.formats)
    check_number("--samples", samples, 1, 64)
    check_number("--best", best, 1, 64)
    if best is not None and samples is not None and best > samples:
        raise InputError(f"--best is {best}, more than the {samples} of --samples. Draw more, or keep fewer.")
    check_number("--seconds", seconds, 0.1, MAX_SECONDS)
    check_number("--fps", fps, 1, 240)
    check_option("--seed", seed, SEED)
    check_option("--steps", steps, STEPS)
    check_option("--guidance", guidance, GUIDANCE)

    from tqdm import tqdm

    from laban.systems.capabilities import MakesMotion, load_as
    from laban.systems.registry import locate
    from laban.systems.requests import TextRequest
    from laban.systems.selection import DRAWN, draw_best, drawn_by_default

    locate(model)  # a wrong name is said before torch is loaded
    clock = Clock()
    with clock.part("import torch"):
        import torch  # noqa: F401
    with clock.part(f"load {model}"):
        system = load_as(MakesMotion, model, device)
        if text_encoder is not None:
            give_encoder(system, text_encoder)
    drawn = samples or (drawn_by_default(system) if best is None else max(best, DRAWN))
    shelf = None
    if library is not None:
        from laban.commands.library_first import LibraryFirst

        with clock.part("open library"):
            shelf = LibraryFirst.open(library, device, quiet)
    options: dict[str, Any] = {"clean": not raw}
    options |= {} if precision == "32" else {"precision": precision}
    options |= {name: value for name, value in (("steps", steps), ("guidance", guidance)) if value is not None}

    results: list[dict[str, Any]] = []
    told: list[str] = []
    failed = False
    hidden = True if quiet or len(plan.sentences) == 1 else None  # None: hidden unless stderr is a terminal
    for line, sentence in enumerate(tqdm(plan.sentences, unit=" sentences", disable=hidden), start=1):
        # One sentence at a time with the same seed: line 3 of a file gives what `generate` alone gives for it.
        with clock.part("generate"):
            motions = draw_best(system, TextRequest(sentence, seconds), seed, drawn, kept, options)
        if understood(motions[0]) == 0:
            warn(f"no word of {sentence!r} is understood, so the motion is arbitrary. Write plain English.")
        if shelf is not None:
            with clock.part("search library"):
                motions = shelf.answer(sentence, seconds, motions)
        for sample, made in enumerate(motions, start=1):
            motion = made.resample(fps)
            files = plan.files(line, sample)
            worn: dict[str, Any] = {}
            if stance is not None:
                with clock.part("retarget and write"):
                    certificate = wearing.write(stance, motion, files).certificate
                failed |= not certificate.passed
                worn = {"certificate": certificate.record()}
                told += certificate.lines()
            else:
                for path in files:
                    with clock.part(f"write {path.suffix[1:]}"):
                        write(motion, path, fps, quiet)
            results.append(
                {
                    **worn,
                    "text": sentence,
                    "files": [str(path.resolve()) for path in files],
                    "frames": motion.frames,
                    "fps": motion.fps,
                    "seconds": round(motion.seconds, 4),
                    "passport": motion.passport,
                }
            )
    if json:
        print_json({"results": results, "timings": {name: round(s, 4) for name, s in clock.parts.items()}})
    elif not quiet:
        print("\n".join([*story(results, clock), *told]))
    return int(failed)


def understood(motion: Motion) -> float | None:
    """The share of words that the model's text encoder knew; None if its passport does not say."""
    return (motion.passport or {}).get("understood")


@dataclass(frozen=True)
class Plan:
    """Which files hold which motion."""

    sentences: list[str]
    out: tuple[Path, ...]
    samples: int
    numbered: bool  # sentences come from a file, so their number goes into the names

    def check(self, formats: dict[str, str] = WRITERS) -> None:
        """Raises InputError for files that cannot be written and for too many results."""
        check_outputs(self.out, formats)
        check_number("--samples", self.samples, 1, 64)
        total = len(self.sentences) * self.samples
        if total > MOST_RESULTS:
            raise InputError(f"{total} motions were asked for; expected at most {MOST_RESULTS}. Use several commands.")

    def files(self, line: int, sample: int) -> list[Path]:
        """Files of one motion: walk.glb; walk-2.glb of several samples; walk-003.glb, walk-003-2.glb of a file.

        Args:
            line: number of the sentence, from 1.
            sample: number of the sample, from 1.
        """
        name = f"-{line:0{max(3, len(str(len(self.sentences))))}}" if self.numbered else ""
        name += f"-{sample}" if self.samples > 1 else ""
        return [path.with_name(f"{path.stem}{name}{path.suffix}") for path in self.out]


def story(results: list[dict[str, Any]], clock: Clock) -> list[str]:
    """What a person reads at the end: files, times, passport."""
    lines = []
    for result in results:
        length = f"{result['seconds']:.2f} s, {result['frames']} frames at {result['fps']:g} fps"
        lines.append(f"{result['text']!r}: {length}")
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
    return lines + passport_lines(results[0]["passport"])
