"""`laban video`: a sentence becomes a small video."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from laban.actions import video as actions
from laban.actions.video import VideoOptions, VideoResult
from laban.commands.arguments import takes_options
from laban.commands.output import console, origin_lines, out_paths, print_json
from laban.formats import VIDEO_WRITERS


@takes_options("text", defaults={"out": (Path("video.mp4"),)})
def video(options: VideoOptions, device: str = "auto", json: bool = False, quiet: bool = False) -> int:
    """Make a small video of what a sentence says.

    The shipped model knows one or two digits that move over a black square: "digit 3 is moving up then down",
    "digit 7 moves right then left while digit 3 moves down then up", "digit 4 is moving left and right". The same
    words and seed give the same video on the same machine.

    Args:
        device: cpu, cuda or auto.
        json: Print one JSON object.
        quiet: Print only warnings and errors.
    """
    out_paths(options.out, VIDEO_WRITERS)
    context = console(device, quiet)
    result = actions.video(options, context)
    rows = records(result)
    if json:
        timings = {name: round(s, 4) for name, s in context.clock.parts.items()}
        print_json({"results": rows, "timings": timings})
    elif not quiet:
        print("\n".join(summary_lines(result, rows, context.clock.lines())))
    return 0


def records(result: VideoResult) -> list[dict[str, Any]]:
    """The written videos for JSON."""
    return [
        {
            "text": result.text,
            "files": [str(path.resolve()) for path in each.files],
            "frames": each.video.frames,
            "fps": each.video.fps,
            "seconds": round(each.video.seconds, 4),
            "score": None if each.score is None else round(each.score, 4),
            "scored_by": result.judge,
            "passport": dict(each.video.passport or {}),
        }
        for each in result.written
    ]


def summary_lines(result: VideoResult, rows: list[dict[str, Any]], times: list[str]) -> list[str]:
    """What a person reads at the end: ranks, files, times, where it comes from."""
    lines, scores = [], [each.score for each in result.videos]
    if len(scores) > 1:
        lines.append(f"{len(scores)} samples, ranked by {result.judge}; best {scores[0]:.3f}, worst {scores[-1]:.3f}")
    for each in rows:
        lines.append(f"{each['text']!r}: {each['seconds']:.2f} s, {each['frames']} frames at {each['fps']:g} fps")
        lines += [f"  {path}" for path in each["files"]]
    return [*lines, "time", *times, *origin_lines(rows[0]["passport"], rows[0]["files"])]
