"""`laban edit`: a stretch of a motion file is regenerated from words; the rest stays."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import tyro

from laban.actions import edit as actions
from laban.actions.edit import EditOptions, EditResult
from laban.commands.arguments import takes_options
from laban.commands.output import console, origin_lines, out_paths, print_json


@takes_options(
    "source",
    defaults={"out": (Path("edited.glb"),)},
    text=tyro.conf.UseAppendAction,
    range=tyro.conf.UseAppendAction,
    character=tyro.conf.arg(
        help="Your own rigged humanoid (.glb, .vrm, .gltf) to wear the result, with a certificate beside it."
    ),
)
def edit(options: EditOptions, device: str = "auto", json: bool = False, quiet: bool = False) -> int:
    """Change a stretch of a motion by a sentence, go on after its end, or lead over into another motion.

    Frames outside the stretch stay as they are: on the 22 joints of HumanML3D bit for bit, and any other humanoid is
    put onto them first, as `laban convert --retarget` does. The joins are measured and printed.

    Args:
        device: cpu, cuda or auto.
        json: Print one JSON object.
        quiet: Print only warnings and errors.
    """
    files, context = out_paths(options.out, options.wearing.formats), console(device, quiet)
    result = actions.edit(options, context)
    if json:
        print_json(record(result, files))
    elif not quiet:
        print("\n".join(summary_lines(result, files, context.clock.lines())))
    failed = result.report is not None and not result.report.ok
    return int(failed or (result.certificate is not None and not result.certificate.passed))


def record(result: EditResult, files: list[str]) -> dict[str, Any]:
    """The result for JSON."""
    motion, certificate = result.motion, result.certificate
    return {
        "files": files,
        "frames": motion.frames,
        "fps": motion.fps,
        "seconds": round(motion.seconds, 4),
        **({} if certificate is None else {"certificate": certificate.record()}),
        **({} if result.report is None else {"report": result.report.record()}),
        "seams": [{k: v if math.isfinite(v) else None for k, v in vars(s).items()} for s in result.seams],
        "passport": motion.passport,
    }


def summary_lines(result: EditResult, files: list[str], times: list[str]) -> list[str]:
    """What a person reads at the end: length, files, seams, times, where it comes from."""
    motion, certificate = result.motion, result.certificate
    lines = [f"{motion.seconds:.2f} s, {motion.frames} frames at {motion.fps:g} fps", *(f"  {path}" for path in files)]
    lines += [] if result.report is None else result.report.lines()
    for s in result.seams:
        usual = f"frames that stayed: median {1000 * s.median:.1f}, highest {1000 * s.highest:.1f} mm"
        lines.append(f"seam at {s.seconds:.2f} s: {1000 * s.error:.1f} mm ({usual})")
    lines += ["time", *times, *origin_lines(motion.passport, files)]
    return lines + ([] if certificate is None else certificate.lines())
