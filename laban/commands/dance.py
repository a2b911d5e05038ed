"""`laban dance`: a song becomes a dance."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from tyro.conf import Positional

from laban.commands.character import Wearing
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
from laban.systems.options import SEED
from laban.systems.requests import MAX_DANCE_SECONDS


def dance(
    song: Positional[Path],
    out: tuple[Path, ...] = (Path("dance.glb"),),
    seconds: float = 30.0,
    start: float = 0.0,
    seed_motion: Path | None = None,
    seed: int = 0,
    bpm: float | None = None,
    lock_beats: bool = True,
    block: int | None = None,
    beats: bool = False,
    model: str = "fact",
    fps: float = 60.0,
    raw: bool = False,
    character: Path | None = None,
    map: Path | None = None,
    in_place: bool = False,
    append: bool = False,
    device: str = "auto",
    json: bool = False,
    quiet: bool = False,
) -> int:
    """Make a person who dances to a song (.wav, .flac, .ogg, .mp3).

    An .mp4 carries the music; .glb and .bvh last exactly as long. Only the part of the song that is danced to is
    decoded, so a long one costs no more. The dance is scored against the song's beats before and after its clock is
    bent towards them.

    Args:
        song: The song.
        out: Files to write; the suffix says the format: .glb .bvh .npz .mp4 .gif .png .html.
        seconds: Length of the dance; to the end of the song if that comes first.
        start: Second of the song at which it begins.
        seed_motion: A motion file; its last two seconds are what the dancer did just before. Any body whose joints
            can be recognised. A short shipped one if not given.
        seed: Which of the dances.
        bpm: Tempo of the song, where the tracker takes its half, its double or something else.
        lock_beats: Bend the dance's clock a little, so that its rests fall on beats.
        block: Frames committed per pass of the model (k), 1 to 20; fewer are slower.
        beats: Draw beats at the foot of films and pictures.
        model: Shipped weights by name, or a folder with weights.
        fps: Frames per second of .glb, .bvh and .npz; films have 30.
        raw: Leave out the clean-up of feet.
        character: Your own rigged humanoid (.glb, .vrm, .gltf) to wear the dance; the files may then be .glb .vrm
            .vrma .bvh .npz .fbx .usda .mp4 .gif .png, and a certificate lies beside each.
        map: A mapping file for the character, from `laban character inspect`.
        in_place: With --character: take the path out of the root.
        append: With --character: put the clip behind the file's own animations.
        device: cpu, cuda or auto.
        json: Print one JSON object.
        quiet: Print only warnings and errors.
    """
    wearing = Wearing(character, map, in_place, append)
    stance = wearing.check(out)
    check_outputs(out, wearing.formats)
    check_number("--seconds", seconds, 1.0, MAX_DANCE_SECONDS)
    check_number("--start", start, 0.0, 1e6)
    check_option("--seed", seed, SEED)
    check_number("--fps", fps, 1, 240)
    check_number("--bpm", bpm, 40, 240)
    check_number("--block", block, 1, 20)

    import laban
    from laban.formats import READERS, check_suffix
    from laban.systems.capabilities import Dances, load_as
    from laban.systems.registry import locate

    if seed_motion is not None:
        check_suffix(seed_motion, READERS)
        if not seed_motion.is_file():
            raise InputError(f"{seed_motion}: there is no such file.")
    locate(model)  # a wrong name is said before torch is loaded
    clock = Clock()
    from laban.systems.fact import performance

    with clock.part("listen"):
        heard = performance.listen(song, seconds, start, bpm)
    for note in heard.notes:
        warn(f"{note}.")
    begin = None if seed_motion is None else laban.read(seed_motion)
    with clock.part(f"load {model}"):
        system = load_as(Dances, model, device)
    from tqdm import tqdm

    options: dict[str, Any] = {"clean": not raw} | ({} if block is None else {"block": block})
    with clock.part("generate"), tqdm(desc="dance", unit=" frames", leave=False, disable=quiet or None) as bar:
        made = system.dance(heard.request(begin), seed, progress=lambda done: bar.update(done - bar.n), **options)
    music = heard.dance
    motion, after = made, None
    if lock_beats:
        with clock.part("lock beats"):
            motion, before, after = performance.lock(made, music.beats)
    else:
        before = performance.score(made, music.beats)
    facts = {
        "song": song.name,
        "start": start,
        "bpm": round(music.bpm, 2),
        "bpm_hint": bpm,
        "lock_beats": lock_beats,
        "timing": {
            "beats": [round(float(b) / 60, 4) for b in music.beats],
            "onsets": [round(float(b) / 60, 4) for b in music.onsets],
        },
    }
    motion = replace(motion, passport={**(motion.passport or {}), **facts})
    worn = None
    if stance is not None:
        with clock.part("retarget and write"):
            worn = wearing.write(stance, motion.resample(fps), out, films(song, start, beats)).certificate
    else:
        for path in out:
            with clock.part(f"write {path.suffix[1:]}"):
                put(motion, path, fps, films(song, start, beats), quiet)
    scores = {"as_made": vars(before)} | ({"locked": vars(after)} if after else {})
    if json:
        print_json(
            {
                "files": [str(path.resolve()) for path in out],
                "seconds": round(motion.seconds, 4),
                "bpm": facts["bpm"],
                "other_bpm": [round(b, 1) for b in music.others][1:4],
                "scores": scores,
                **({"certificate": worn.record()} if worn else {}),
                "notes": list(heard.notes),
                "passport": {k: v for k, v in (motion.passport or {}).items() if k != "timing"},
                "timings": {name: round(s, 4) for name, s in clock.parts.items()},
            }
        )
    elif not quiet:
        print(f"{song.name}: {music.bpm:.1f} bpm{others(music.others, bpm)}")
        print(f"dance of {motion.seconds:.2f} s; frames per pass: {(motion.passport or {})['options']['block']}")
        print("beat alignment (FACT's definition, Bailando's; kinematic beats per second)")
        for name, row in (("as made", before), ("locked", after)):
            if row:
                print(f"  {name:<8} {row.fact:.3f}  {row.bailando:.3f}  {row.per_second:.2f}")
        print("\n".join(f"  {path.resolve()}" for path in out))
        if worn:
            print("\n".join(worn.lines()))
        print("\n".join(["time", *clock.lines(), "passport"]))
        print("\n".join(passport_lines({k: v for k, v in (motion.passport or {}).items() if k != "timing"})))
    return int(worn is not None and not worn.passed)


def others(scores: dict[float, float], hint: float | None) -> str:
    """What else the tempo may be, for a person to hint at."""
    if hint is not None:
        return " (near the hint)"
    rest = [f"{bpm:.0f}" for bpm in list(scores)[1:3]]
    return f" (if that is wrong, --bpm; next best {' and '.join(rest)})" if rest else ""


def films(song: Path, start: float, beats: bool) -> dict[str, dict[str, Any]]:
    """Options of films and pictures by suffix: sound where the format has it, beats where they are asked for."""
    drawn = {"beats": True} if beats else {}
    return {".mp4": {"sound": (song, start), **drawn}, ".gif": drawn, ".png": drawn}


def put(motion: Any, path: Path, fps: float, options: dict[str, dict[str, Any]], quiet: bool) -> None:
    """One file: films at 30 frames per second, motions at `fps`."""
    suffix = path.suffix.lower()
    if suffix in (".mp4", ".gif", ".html", ".png"):
        return write(motion, path, None, quiet, **options.get(suffix, {}))
    write(motion.resample(fps), path, None, quiet)
