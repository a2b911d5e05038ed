"""`laban video`: a sentence becomes a small video."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tyro.conf import Positional

from laban.commands.generate import story
from laban.commands.inputs import checked
from laban.commands.output import Clock, check_number, check_option, check_outputs, print_json, warn
from laban.errors import InputError
from laban.formats import VIDEO_WRITERS
from laban.systems.options import GUIDANCE, SEED, TEMPERATURE, TOP_K

if TYPE_CHECKING:
    import numpy as np

    from laban.io.frames import Video
    from laban.systems.godiva.system import Godiva


def video(
    text: Positional[str] = "",
    out: tuple[Path, ...] = (Path("video.mp4"),),
    samples: int = 1,
    every: bool = False,
    seed: int = 0,
    model: str = "godiva",
    from_frames: Path | None = None,
    keep: int | None = None,
    clip: Path | None = None,
    top_k: int | None = None,
    temperature: float | None = None,
    guidance: float | None = None,
    size: int | None = None,
    device: str = "auto",
    json: bool = False,
    quiet: bool = False,
) -> int:
    """Make a small video of what a sentence says.

    The shipped model knows one or two digits that move over a black square: "digit 3 is moving up then down",
    "digit 7 moves right then left while digit 3 moves down then up", "digit 4 is moving left and right". The same
    words and seed give the same video on the same machine.

    Args:
        text: What is to be seen, in English, in quotes.
        out: Files to write; the suffix says the format: .mp4 .gif, or .png for all frames side by side.
        samples: Videos to draw; the one that fits the words best is written.
        every: Write all samples, the best first: digits-1.mp4, digits-2.mp4.
        seed: Which of the many videos that fit the words.
        model: Shipped weights by name, or a folder with weights.
        from_frames: Go on from the first frames of this film, .gif, .png strip, or folder of pictures.
        keep: How many of these frames are kept; by default 3.
        clip: Folder with a CLIP model to rank samples by, instead of the small score that comes with the weights.
        top_k: Draw among so many of the likeliest codes at each place.
        temperature: Below 1 likelier codes, 0 the likeliest.
        guidance: How strongly the words are followed; 1 is without.
        size: Height of the written pictures in pixels; frames are enlarged by a whole number.
        device: cpu, cuda or auto.
        json: Print one JSON object.
        quiet: Print only warnings and errors.
    """
    if not text.strip():
        raise InputError("there is no sentence. Write what is to be seen, in quotes.")
    text = checked(text, "the sentence")
    check_outputs(out, VIDEO_WRITERS)
    check_number("--samples", samples, 1, 64)
    check_option("--seed", seed, SEED)
    check_option("--top-k", top_k, TOP_K)
    check_option("--temperature", temperature, TEMPERATURE)
    check_option("--guidance", guidance, GUIDANCE)
    check_number("--size", size, 16, 2048)
    check_number("--keep", keep, 1, 1000)
    if keep is not None and from_frames is None:
        raise InputError("--keep was given without --from-frames. Name the film that the frames come from.")

    from tqdm import tqdm

    from laban.systems.capabilities import MakesVideo, load_as
    from laban.systems.registry import locate
    from laban.systems.requests import TextRequest

    locate(model)  # a wrong name is said before torch is loaded
    clock = Clock()
    with clock.part("import torch"):
        import torch  # noqa: F401
    with clock.part(f"load {model}"):
        system: Any = load_as(MakesVideo, model, device)
    given = None if from_frames is None else first_frames(system, from_frames, 3 if keep is None else keep)
    say_what_is_lost(system, text)
    asked = {"top_k": top_k, "temperature": temperature, "guidance": guidance, "given": given}
    options = {k: v for k, v in asked.items() if v is not None}
    with clock.part("generate"), tqdm(unit=" tokens", leave=False, disable=quiet or None) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        videos = system.generate([TextRequest(text)] * samples, seed=seed, progress=progress, **options)
    ranked: list[tuple[float | None, Video]] = [(None, v) for v in videos]
    judge = "none"
    if samples > 1:
        with clock.part("rank"):
            ranked, judge = rank(system, text, videos, clip)
    results: list[dict[str, Any]] = []
    for place, (score, made) in enumerate(ranked if every else ranked[:1], start=1):
        name = f"-{place}" if every and samples > 1 else ""
        files = [path.with_name(f"{path.stem}{name}{path.suffix}") for path in out]
        for path in files:
            with clock.part(f"write {path.suffix[1:]}"):
                from laban.io import frames

                frames.write(made, path, size)
        results.append(
            {
                "text": text,
                "files": [str(path.resolve()) for path in files],
                "frames": made.frames,
                "fps": made.fps,
                "seconds": round(made.seconds, 4),
                "score": None if score is None else round(score, 4),
                "scored_by": judge,
                "passport": dict(made.passport or {}),
            }
        )
    if json:
        print_json({"results": results, "timings": {name: round(s, 4) for name, s in clock.parts.items()}})
    elif not quiet:
        if samples > 1:
            print(f"{samples} samples, ranked by {judge}; best {ranked[0][0]:.3f}, worst {ranked[-1][0]:.3f}")
        print("\n".join(story(results, clock)))
    return 0


def first_frames(system: Godiva, path: Path, keep: int) -> np.ndarray:
    """(keep, S, S, C) uint8 to go on from.

    Raises: InputError if the model has no frame left to make, or the file has too few.
    """
    from laban.io import frames

    shape = system.config.frames
    if keep >= shape.count:
        raise InputError(f"--keep is {keep}; the model makes {shape.count} frames, so at most {shape.count - 1}.")
    found = frames.read(path, shape.channels, shape.size, keep)
    if len(found) < keep:
        raise InputError(f"{path}: has {len(found)} frames, --keep wants {keep}. Keep fewer, or give a longer film.")
    return found


def say_what_is_lost(system: Godiva, text: str) -> None:
    """Warns of words that the model does not know and of those beyond its longest caption.

    Raises: InputError if no word is known.
    """
    reading = system.reading(text)
    known = len(reading.ids) - 1 - len(reading.unknown)
    if known == 0:
        words = ", ".join(system.config.text.words[:12])
        raise InputError(f"no word of {text!r} is known to this model. It knows {words}, …")
    if reading.unknown:
        warn(f"unknown words are read as one placeholder: {', '.join(dict.fromkeys(reading.unknown))}.")
    if reading.cut:
        warn(f"the sentence is cut after {system.config.text.max_words} words; lost: {' '.join(reading.cut)[:200]}.")


def rank(
    system: Godiva, text: str, videos: list[Video], clip: Path | None
) -> tuple[list[tuple[float | None, Video]], str]:
    """The videos with their scores, the best first, and what scored them."""
    import numpy as np

    from laban.metrics.video import clipsim

    pixels = np.stack([v.pixels for v in videos])
    if clip is not None:
        from laban.condition.clip_towers import open_clip

        scores = clipsim(open_clip(clip), [text] * len(videos), pixels)
        judge = f"CLIP ({clip})"
    else:
        scores, judge = system.rate(pixels, [text] * len(videos)), "Laban's own small score, not CLIP"
    order = np.argsort(-scores, kind="stable")
    return [(float(scores[n]), videos[n]) for n in order], judge
