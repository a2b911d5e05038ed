"""`laban blend`, `mix`, `recognise` and `caption`: clips in MotionCLIP's latent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tyro.conf import Positional

from laban.commands.inputs import open_space, sentences
from laban.commands.output import check_number, check_outputs, print_json, write
from laban.errors import InputError

if TYPE_CHECKING:
    from laban.motion.motion import Motion
    from laban.systems.motionclip.space import Guess

PICTURES = {".png": "laban.drawing.picture"}


def blend(
    a: Positional[Path],
    b: Positional[Path],
    out: tuple[Path, ...] = (Path("blend.glb"),),
    steps: int = 5,
    sheet: Path | None = None,
    fps: float = 30.0,
    raw: bool = False,
    model: str = "motionclip",
    device: str = "auto",
    json: bool = False,
    quiet: bool = False,
) -> int:
    """Go from one clip to another in even steps of the latent.

    The first and the last result are the two clips as the model knows them.

    Args:
        a: A motion file: .bvh .glb .npz.
        b: Another.
        out: Files to write; blend.glb becomes blend-1.glb, blend-2.glb and so on.
        steps: How many results, both ends counted.
        sheet: A .png with one row per result.
        fps: Frames per second of the files.
        raw: Leave out the clean-up of feet.
        model: Weights by name, or a folder with weights.
        device: cpu, cuda or auto.
        json: Print one JSON object.
        quiet: Print only warnings and errors.
    """
    check_number("--steps", steps, 2, 64)
    check_number("--fps", fps, 1, 240)
    files = [[p.with_name(f"{p.stem}-{i + 1}{p.suffix}") for p in out] for i in range(steps)]
    _check(out, sheet)
    ends = [_read(a), _read(b)]

    from laban.systems.motionclip import space

    system = open_space(model, device)
    made = space.blend(system, ends[0], ends[1], steps=steps, clean=not raw)
    rows = []
    for motion, paths in zip(made, files, strict=True):
        best = space.recognise(system, motion, top=1) if system.vocabulary["classes"] else []
        rows.append(_written(motion, paths, fps, quiet, best[0].label if best else None))
    _draw(made, [f"{i + 1}: {r['label'] or ''}" for i, r in enumerate(rows)], sheet)
    return _said({"results": rows, "sheet": _name(sheet)}, json, quiet)


def mix(
    file: Positional[Path],
    minus: str = "",
    plus: str = "",
    style: str = "",
    strength: float = 1.0,
    out: tuple[Path, ...] = (Path("mix.glb"),),
    sheet: Path | None = None,
    fps: float = 30.0,
    raw: bool = False,
    model: str = "motionclip",
    device: str = "auto",
    json: bool = False,
    quiet: bool = False,
) -> int:
    """Change a clip by what leads from one text or clip to another.

    `--minus walk --plus "walk like an old person"` ages a walk. A direction may also lead from one motion file to
    another. `--style "like an old person"` finds the action itself and needs neither.

    Args:
        file: The motion to change: .bvh .glb .npz.
        minus: What is taken away: words, or a motion file.
        plus: What is added: words, or a motion file.
        style: How the same action should be done, instead of --minus and --plus.
        strength: 1 for the whole step, less for less.
        out: Files to write.
        sheet: A .png with the clip, what the model keeps of it, and the result.
        fps: Frames per second of the files.
        raw: Leave out the clean-up of feet.
        model: Weights by name, or a folder with weights.
        device: cpu, cuda or auto.
        json: Print one JSON object.
        quiet: Print only warnings and errors.
    """
    check_number("--strength", strength, -10, 10)
    check_number("--fps", fps, 1, 240)
    _check(out, sheet)
    if bool(style.strip()) == bool(minus.strip() or plus.strip()) or bool(minus.strip()) != bool(plus.strip()):
        raise InputError("mix: give --minus and --plus, both, or --style alone.")
    source = _read(file)
    ends = [_text_or_motion(x) for x in (minus, plus)]

    from laban.motion.retarget import retarget
    from laban.systems.motionclip import space

    system = open_space(model, device)
    if style.strip():
        made = space.restyle(system, source, style, strength, clean=not raw)
    else:
        made = space.mix(system, source, ends[0], ends[1], strength, clean=not raw)
    best = space.recognise(system, made, top=1) if system.vocabulary["classes"] else []
    row = _written(made, list(out), fps, quiet, best[0].label if best else None)
    title = made.segments[0].text if made.segments else "result"
    if sheet is not None:
        _draw(
            [retarget(source), space.reconstruct(system, source), made],
            ["the clip", "as the latent keeps it", title],
            sheet,
        )
    return _said({"results": [row], "sheet": _name(sheet)}, json, quiet)


def recognise(
    file: Positional[Path],
    classes: tuple[str, ...] = (),
    top: int = 5,
    model: str = "motionclip",
    text_encoder: Path | None = None,
    device: str = "auto",
    json: bool = False,
) -> int:
    """Say what happens in a motion file.

    Args:
        file: .bvh .glb .npz.
        classes: Names or phrases to choose from; the contents of the training corpus if not given.
        top: How many to print.
        model: Weights by name, or a folder with weights.
        text_encoder: CLIP's weights, for a released model: a Hugging Face folder, or a .pt of OpenAI or open_clip.
        device: cpu, cuda or auto.
        json: Print one JSON object.
    """
    check_number("--top", top, 1, 1000)
    motion = _read(file)

    from laban.systems.motionclip import space

    system = open_space(model, device, text_encoder)
    return _guessed(file, space.recognise(system, motion, list(classes) or None, top), json)


def caption(
    file: Positional[Path],
    phrases: Path | None = None,
    top: int = 5,
    model: str = "motionclip",
    text_encoder: Path | None = None,
    device: str = "auto",
    json: bool = False,
) -> int:
    """Describe a motion file by the phrases nearest to it.

    Args:
        file: .bvh .glb .npz.
        phrases: A file with one phrase per line; the captions of the training corpus if not given.
        top: How many to print.
        model: Weights by name, or a folder with weights.
        text_encoder: CLIP's weights, for a released model: a Hugging Face folder, or a .pt of OpenAI or open_clip.
        device: cpu, cuda or auto.
        json: Print one JSON object.
    """
    check_number("--top", top, 1, 1000)
    motion = _read(file)
    lines = list(dict.fromkeys(sentences("", phrases))) if phrases is not None else None

    from laban.systems.motionclip import space

    system = open_space(model, device, text_encoder)
    return _guessed(file, space.caption(system, motion, lines, top), json)


def _read(path: Path) -> Motion:
    from laban import formats

    return formats.read(path)


def _text_or_motion(said: str) -> str | Motion:
    """A motion if `said` names a file that is there or has a motion file's suffix; else the words."""
    from laban.formats import READERS

    path = Path(said)
    if path.suffix.lower() in READERS and " " not in path.suffix:
        return _read(path)
    return said


def _check(out: tuple[Path, ...], sheet: Path | None) -> None:
    check_outputs(out)
    if sheet is not None:
        check_outputs([sheet], PICTURES)


def _written(motion: Motion, paths: list[Path], fps: float, quiet: bool, label: str | None) -> dict[str, Any]:
    shown = motion.resample(fps)
    for path in paths:
        write(shown, path, fps, quiet)
    return {
        "files": [str(p.resolve()) for p in paths], "label": label, "frames": shown.frames,
        "seconds": round(shown.seconds, 4), "passport": motion.passport,
    }  # fmt: skip


def _draw(motions: list[Motion], titles: list[str], sheet: Path | None) -> None:
    if sheet is None:
        return
    from laban.drawing.picture import contact_sheet

    contact_sheet(motions, titles, sheet)


def _name(path: Path | None) -> str | None:
    return None if path is None else str(path.resolve())


def _said(facts: dict[str, Any], json: bool, quiet: bool) -> int:
    if json:
        print_json(facts)
    elif not quiet:
        for row in facts["results"]:
            said = f", recognised as {row['label']}" if row["label"] else ""
            print(f"{row['seconds']:.2f} s{said}")
            print("\n".join(f"  {f}" for f in row["files"]))
        if facts.get("sheet"):
            print(facts["sheet"])
    return 0


def _guessed(file: Path, guesses: list[Guess], json: bool) -> int:
    if json:
        rows = [
            {"label": g.label, "phrase": g.phrase, "cosine": g.cosine, "probability": g.probability} for g in guesses
        ]
        print_json({"file": str(file), "guesses": rows})
        return 0
    width = max(len(g.label) for g in guesses)
    for g in guesses:
        print(
            f"{g.probability:6.3f}  cosine {g.cosine:+.3f}  {g.label:<{width}}"
            + (f"  ({g.phrase})" * (g.phrase != g.label))
        )
    return 0
