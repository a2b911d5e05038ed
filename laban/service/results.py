"""What an action returned, as JSON for clients: figures and facts; the files stand beside them."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any


def told(kind: str, result: Any) -> dict[str, Any]:
    """The facts of a result.

    Args:
        kind: of the job.
        result: what its action returned.
    """
    return finite(TELLERS[kind](result))


def finite(value: Any) -> Any:
    """A value as JSON has it: numbers that are none become null, paths text, tuples lists."""
    if isinstance(value, dict):
        return {str(key): finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [finite(each) for each in value]
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, Path):
        return str(value)
    number = float(value)
    return number if math.isfinite(number) else None


def _motion(motion: Any, **more: Any) -> dict[str, Any]:
    segments = [{"text": s.text, "start": round(s.start, 3), "end": round(s.end, 3)} for s in motion.segments]
    facts = {"frames": motion.frames, "fps": motion.fps, "seconds": round(motion.seconds, 4), "segments": segments}
    return {**facts, **more, "passport": motion.passport}


def _certificate(certificate: Any) -> dict[str, Any]:
    return {} if certificate is None else {"certificate": certificate.record()}


def _names(files: Any) -> list[str]:
    return [path.name for path in files]


def _generate(result: Any) -> dict[str, Any]:
    return {
        "motions": [
            _motion(
                each.motion, text=each.text, files=_names(each.files), known=each.known,
                reading=None if each.reading is None else each.reading.to_dict(), **_certificate(each.certificate),
            )
            for each in result
        ]
    }  # fmt: skip


def _script(result: Any) -> dict[str, Any]:
    return {"motions": [_motion(part.motion, files=_names(part.files)) for part in result]}


def _dance(result: Any) -> dict[str, Any]:
    scores = {"as_made": vars(result.as_made), **({"locked": vars(result.locked)} if result.locked else {})}
    heard = {"bpm": round(result.heard.dance.bpm, 2), "notes": list(result.heard.notes)}
    return {"motions": [_motion(result.motion, scores=scores, **heard, **_certificate(result.certificate))]}


def _edit(result: Any) -> dict[str, Any]:
    seams = [vars(seam) for seam in result.seams]
    return {"motions": [_motion(result.motion, seams=seams, **_certificate(result.certificate))]}


def _author(result: Any) -> dict[str, Any]:
    return {"motions": [_motion(result.motion, report=result.report.record())]}


def _retarget(result: Any) -> dict[str, Any]:
    return {"motions": [{**_certificate(result.certificate), "passport": result.passport}]}


def _clean(result: Any) -> dict[str, Any]:
    return {"motions": [_motion(result.motion, before=result.before, after=result.after)]}


def _variations(result: Any) -> dict[str, Any]:
    several = result if isinstance(result, list) else [result]
    return {"motions": [_motion(each.motion, files=_names(each.files), label=each.label) for each in several]}


def _video(result: Any) -> dict[str, Any]:
    videos = [
        {
            "text": result.text, "files": _names(each.files), "frames": each.video.frames, "fps": each.video.fps,
            "score": each.score, "scored_by": result.judge, "passport": dict(each.video.passport or {}),
        }
        for each in result.written
    ]  # fmt: skip
    return {"videos": videos}


def _written(result: Any) -> dict[str, Any]:
    return {"motions": [_motion(each.motion, files=[each.path.name]) for each in result]}


def _search(result: Any) -> dict[str, Any]:
    found = [{"file": m.path, "start": m.start, "end": m.end, "score": m.score} for m in result.found]
    return {"found": found, "clips": result.clips}


def _guesses(result: Any) -> dict[str, Any]:
    return {"guesses": [vars(guess) for guess in result]}


def _models(result: Any) -> dict[str, Any]:
    return {"models": [vars(model) for model in result]}


def _measure(result: Any) -> dict[str, Any]:
    does = None if result.does is None else {"rule": result.does[0], "holds": result.does[1]}
    return {"motions": [_motion(result.motion, figures=result.figures, does=does, seams=list(result.seams))]}


TELLERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "generate": _generate, "script": _script, "author": _author, "dance": _dance, "edit": _edit,
    "retarget": _retarget, "clean": _clean, "blend": _variations, "mix": _variations, "video": _video,
    "convert": _written, "render": _written, "search": _search, "recognise": _guesses, "caption": _guesses,
    "measure": _measure, "models": _models,
}  # fmt: skip
