"""`laban dance`: a song becomes a dance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tyro

from laban.actions import dance as actions
from laban.actions.dance import DanceOptions, DanceResult
from laban.commands.arguments import takes_options
from laban.commands.output import console, origin_lines, out_paths, print_json


@takes_options(
    "song",
    defaults={"out": (Path("dance.glb"),)},
    character=tyro.conf.arg(
        help="Your own rigged humanoid (.glb, .vrm, .gltf, .fbx) to wear the dance; the files may then be .glb .vrm "
        ".vrma .bvh .npz .fbx .usda .mp4 .gif .png, and a certificate lies beside each."
    ),
    lock_beats=tyro.conf.arg(
        help="Leave the dance's clock alone. Otherwise it is bent a little, so that the dance's rests fall on beats."
    ),
)
def dance(options: DanceOptions, device: str = "auto", json: bool = False, quiet: bool = False) -> int:
    """Make a person who dances to a song (.wav, .flac, .ogg, .mp3).

    An .mp4 carries the music; .glb and .bvh last exactly as long. Only the part of the song that is danced to is
    decoded, so a long one costs no more. The dance is scored against the song's beats before and after its clock is
    bent towards them.

    Args:
        device: cpu, cuda or auto.
        json: Print one JSON object.
        quiet: Print only warnings and errors.
    """
    files, context = out_paths(options.out, options.wearing.formats), console(device, quiet)
    result = actions.dance(options, context)
    if json:
        timings = {name: round(s, 4) for name, s in context.clock.parts.items()}
        print_json({**record(result, files), "timings": timings})
    elif not quiet:
        print("\n".join(summary_lines(options, result, files, context.clock.lines())))
    return int(result.certificate is not None and not result.certificate.passed)


def passport_of(result: DanceResult) -> dict[str, Any]:
    """The passport without the music's beats and onsets, of which there are many."""
    return {k: v for k, v in (result.motion.passport or {}).items() if k != "timing"}


def record(result: DanceResult, files: list[str]) -> dict[str, Any]:
    """The result for JSON."""
    music, locked, certificate = result.heard.dance, result.locked, result.certificate
    return {
        "files": files,
        "seconds": round(result.motion.seconds, 4),
        "bpm": round(music.bpm, 2),
        "other_bpm": [round(b, 1) for b in music.others][1:4],
        "scores": {"as_made": vars(result.as_made), **({"locked": vars(locked)} if locked else {})},
        **({"certificate": certificate.record()} if certificate else {}),
        "notes": list(result.heard.notes),
        "passport": passport_of(result),
    }


def summary_lines(options: DanceOptions, result: DanceResult, files: list[str], times: list[str]) -> list[str]:
    """What a person reads at the end: tempo, scores, files, times, passport."""
    music, passport = result.heard.dance, passport_of(result)
    lines = [
        f"{options.song.name}: {music.bpm:.1f} bpm{other_tempi(music.others, options.bpm)}",
        f"dance of {result.motion.seconds:.2f} s; frames per pass: {passport['options']['block']}",
        "beat alignment  FACT's  Bailando's  rests per second",
    ]
    for name, row in (("as made", result.as_made), ("locked", result.locked)):
        if row:
            lines.append(f"  {name:<13} {row.fact:6.3f}  {row.bailando:10.3f}  {row.per_second:16.2f}")
    lines += [f"  {path}" for path in files]
    lines += result.certificate.lines() if result.certificate else []
    return [*lines, "time", *times, *origin_lines(passport, files)]


def other_tempi(scores: dict[float, float], hint: float | None) -> str:
    """What else the tempo may be, for a person to hint at."""
    if hint is not None:
        return f" (--bpm {hint:g})"
    rest = [f"{bpm:.0f}" for bpm in list(scores)[1:3]]
    return f" (if that is wrong, --bpm; next best {' and '.join(rest)})" if rest else ""
