"""What authoring is worth: goals out of real held-out clips, cases from a desk, and rows that cheat beside them.

Every row says how many goals were hit, how far they were missed, and what the motion paid: its feet's slide and its
jerk against the same seed unconstrained. A row that cheats (`laban.evaluate.authoring_rows`) must be found out by one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from laban.actions.context import Context
from laban.authoring.author import author
from laban.authoring.desk import CASES
from laban.authoring.timeline import Prompt, Timeline
from laban.data.corpus import Corpus
from laban.errors import InputError
from laban.evaluate import authoring_rows as rows
from laban.evaluate.cases import Case, choose
from laban.evaluate.machine import machine
from laban.io.atomic import replacing
from laban.metrics import constraints, inbetween
from laban.metrics.intervals import Bootstrap, wilson
from laban.motion import finish, travel
from laban.motion.constraints import Effector, EffectorKey, Goals, PathPoint, RootPath, times_of
from laban.motion.motion import Motion
from laban.version import __version__

CLIPS = 64
LONGEST, SHORTEST = 6.0, 2.5  # seconds of a clip that goals are taken from
SAMPLES = 8
GAPS = (5, 15, 30, 45)  # frames at 30 per second between what is known, as LAFAN1's protocol has them
PAST = 10
FPS = 30.0
KINDS = ("waypoints", "path", "right_wrist", "left_foot", "head", "pose", "start and end", "cross")
CONTROLS = (
    "real clip",
    "unconstrained",
    "slide",
    "teleport",
    "freeze",
    "interpolate",
    "shuffled goals",
    "goals 0.25 s off",
)
SHIFT = 0.25


@dataclass
class Row:
    """Figures of one kind of goals or one control over clips."""

    name: str
    hits: list[bool] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    qualities: list[constraints.Quality] = field(default_factory=list)
    faults: list[bool] = field(default_factory=list)
    refused: int = 0
    cpu: list[float] = field(default_factory=list)

    def add(
        self, reached: Sequence[constraints.Reached], quality: constraints.Quality, *, dense: bool, cpu: float = 0.0
    ) -> None:
        """One clip."""
        self.hits += [each.hit for each in reached]
        self.errors.append(float(np.mean([each.error_m for each in reached])))
        self.qualities.append(quality)
        self.faults.append(bool(constraints.faults(quality, dense=dense)))
        self.cpu.append(cpu)

    def record(self, seed: int) -> dict[str, Any]:
        """JSON-able: means with their intervals."""
        if not self.errors:
            return {"name": self.name, "clips": 0, "refused": self.refused}
        draws = Bootstrap(len(self.errors), seed=seed)

        def mean(values: Sequence[float]) -> list[float]:
            found = draws.mean(np.array(values))
            return [round(v, 4) for v in (found.value, found.low, found.high)]

        return {
            "name": self.name, "clips": len(self.errors), "refused": self.refused,
            "hit": [round(v, 3) for v in (float(np.mean(self.hits)), *wilson(sum(self.hits), len(self.hits)))],
            "error_cm": mean([100 * e for e in self.errors]), "skate": mean([q.skate for q in self.qualities]),
            "skate_ratio": mean([q.skate_ratio for q in self.qualities]),
            "jerk_ratio": mean([q.jerk_ratio for q in self.qualities]),
            "spike": mean([q.spike for q in self.qualities]),
            "facing_more": mean([q.facing_more for q in self.qualities]),
            "faulty": mean([float(f) for f in self.faults]), "cpu_s": mean(self.cpu),
        }  # fmt: skip


def goals_for(kind: str, real: Motion) -> Goals:
    """Goals of a kind, taken from a clip; its start is always given, so that the places mean something."""
    way, joints, last = travel.of(real), real.joints(), real.frames - 1

    def point(frame: int) -> PathPoint:
        return PathPoint(frame / real.fps, (float(way.xz[frame, 0]), float(way.xz[frame, 1])))

    def place(name: str, frame: int) -> Effector:
        x, y, z = (float(v) for v in joints[frame, real.skeleton.index(name)])
        return Effector(name, (EffectorKey(frame / real.fps, (x, y, z)),))

    ends = RootPath((point(0), point(last)))
    middle = 3 * last // 5
    if kind == "path":
        return Goals(paths=(RootPath(tuple(point(f) for f in range(0, last + 1, 4)), kind="path"),))
    if kind == "pose":
        return Goals((rows.pose_of(real, middle / real.fps),), (ends,))
    if kind == "start and end":
        return Goals((rows.pose_of(real, 0.0), rows.pose_of(real, last / real.fps)))
    waypoints = RootPath(tuple(point(last * k // 3) for k in range(4)))
    if kind == "waypoints":
        return Goals(paths=(waypoints,))
    if kind == "cross":
        return Goals(paths=(waypoints,), effectors=(place("left_wrist", last // 3), place("right_wrist", middle)))
    return Goals(paths=(ends,), effectors=(place(kind, middle),))


def evaluate(
    corpus: Corpus, out: Path, context: Context, *, clips: int = CLIPS, seed: int = 0, split: str = "test",
    quick: bool = False, model: str = "auto",
) -> dict[str, Any]:  # fmt: skip
    """Scores authoring and writes OUT/report.json and report.md.

    Args:
        corpus: prepared clips with captions.
        out: folder, made if absent.
        context: models, progress; asked between clips whether to go on.
        clips: how many held-out clips.
        seed: of the draws and the choice of clips.
        split: of the corpus.
        quick: waypoints, one hand and a pose only, 2 samples, gaps left out.
        model: as of a timeline.
    Raises: InputError if no clip can be used.
    """
    usable = [c for c in choose(corpus, split, None, seed) if c.seconds >= SHORTEST]
    if not usable:
        raise InputError(f"evaluate authoring: split {split!r} has no captioned clip of {SHORTEST} s or more.")
    picked = [usable[i] for i in sorted(np.random.default_rng([seed, 7]).permutation(len(usable))[:clips])]
    kinds = ("waypoints", "right_wrist", "pose") if quick else KINDS
    table = {kind: Row(kind) for kind in kinds}
    controls = {name: Row(name) for name in CONTROLS}
    settings = {"samples": 2 if quick else SAMPLES, "seed": seed, "model": model}
    reals = [_real(case) for case in picked]
    for number, (case, real) in enumerate(zip(picked, reals, strict=True)):
        context.progress(number, len(picked), "clips")
        for kind in kinds:
            context.check()
            _one(table[kind], controls, case, real, kind, reals[number - 1], settings, context)
    desk = _desk(context, settings)
    gaps = [] if quick else [_gap(gap, picked, reals, seed, context) for gap in GAPS]
    facts = {
        "laban": __version__, "machine": machine(), "seed": seed, "clips": len(picked), "samples": settings["samples"],
        "data": corpus.fingerprint, "rows": [row.record(seed) for row in table.values()],
        "controls": [row.record(seed) for row in controls.values()], "desk": desk, "gaps": gaps,
    }  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    for name, text in (("report.json", json.dumps(facts, indent=1) + "\n"), ("report.md", markdown(facts))):
        with replacing(out / name) as file:
            file.write_text(text, encoding="utf-8")
    return facts


def _real(case: Case) -> Motion:
    return Motion.from_joints(case.joints[: round(LONGEST * 20)], 20.0)


def _one(
    row: Row, controls: dict[str, Row], case: Case, real: Motion, kind: str, other: Motion, settings: dict[str, Any],
    context: Context,
) -> None:  # fmt: skip
    """One clip and kind of goals, with the controls of it."""
    goals = goals_for(kind, real)
    seconds = real.seconds
    timeline = Timeline(
        seconds, fps=FPS, prompts=(Prompt(0.0, seconds, case.caption),), poses=goals.poses, paths=goals.paths,
        effectors=goals.effectors, **settings,
    )  # fmt: skip
    begin = time.process_time()
    made = author(timeline, context)
    cpu, dense = time.process_time() - begin, finish.is_dense(goals.paths)
    if not made.report.feasible:
        row.refused += 1
        return
    row.add(made.report.goals, made.report.quality, dense=dense, cpu=cpu)
    if kind not in ("waypoints", "pose"):
        return
    free = author(replace(timeline, poses=(), paths=(), effectors=()), context).motion
    free = replace(free, root=free.root + (real.root[0] - free.root[0]) * [1, 0, 1])
    for name, motion in _cheats(kind, real, free, goals).items():
        quality = constraints.quality(motion, free if motion.fps == FPS else real)
        controls[name].add(constraints.reached(motion, goals), quality, dense=dense)
    last = seconds - 1 / 20
    for name, wrong in (
        ("shuffled goals", goals_for(kind, other)),
        ("goals 0.25 s off", rows.shifted(goals, SHIFT, last)),
    ):
        fitting = all(t <= seconds for g in wrong.all for t in times_of(g))
        if fitting:
            controls[name].add(constraints.reached(made.motion, wrong), made.report.quality, dense=dense)


def _cheats(kind: str, true: Motion, free: Motion, goals: Goals) -> dict[str, Motion]:
    made = {"real clip": true, "unconstrained": free, "teleport": rows.teleport(free, goals)}
    if kind == "waypoints":
        return {**made, "slide": rows.slide(free, goals.paths[0])}
    at = round(goals.poses[0].at * true.fps)
    return {**made, "freeze": rows.freeze(true, at), "interpolate": rows.interpolate(true, [0, at, true.frames - 1])}


def _desk(context: Context, settings: dict[str, Any]) -> dict[str, Any]:
    """The cases from a desk: whether what cannot be is refused, and what can be is not."""
    found = []
    for name, possible, timeline in CASES:
        context.check()
        made = author(replace(timeline, **settings), context)
        found.append(
            {"name": name, "possible": possible, "feasible": made.report.feasible, "ok": made.report.ok,
             "faults": list(made.report.faults), "skate": round(made.report.quality.skate, 3),
             "reasons": list(made.report.reasons), "cpu_s": round(made.report.cpu_s, 2)}
        )  # fmt: skip
    bad, good = [r for r in found if not r["possible"]], [r for r in found if r["possible"]]
    return {
        "cases": found, "named": [sum(not r["feasible"] for r in bad), len(bad)],
        "false_alarms": [sum(not r["feasible"] for r in good), len(good)],
        "met": [sum(r["ok"] for r in good), len(good)],
    }  # fmt: skip


def _gap(gap: int, cases: Sequence[Case], reals: Sequence[Motion], seed: int, context: Context) -> dict[str, Any]:
    """Frames between two known stretches: ours, interpolated and held, against the truth."""
    from laban.actions.inpainting import Draws, Stretch, replace_stretches
    from laban.systems.capabilities import Inpaints

    system = context.models.load(Inpaints, "momask", context.device)
    first, last = 20, 20 + max(2, round(gap * 20 / 30))
    made: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {"ours": [], "interpolated": [], "held": []}
    true: list[tuple[np.ndarray, np.ndarray]] = []
    for case, real in zip(cases, reals, strict=True):
        if real.frames < last + 20:
            continue
        context.check()
        ours, _ = replace_stretches(system, real, [Stretch(case.caption, first, last)], Draws(seed), context)
        for name, motion in (
            ("ours", ours), ("interpolated", rows.interpolate(real, [first - 1, last])),
            ("held", rows.zero_velocity(real, first, last)),
        ):  # fmt: skip
            made[name].append(_window(motion, first, last))
        true.append(_window(real, first, last))
    if not true:
        return {"gap": gap, "clips": 0}
    places = np.stack([p for p, _ in true])
    mean, std = places.mean((0, 1)), places.std((0, 1)) + 1e-3
    turns = np.stack([q for _, q in true])
    return {
        "gap": gap, "clips": len(true),
        **{
            name: {
                "l2p": round(inbetween.l2p(np.stack([p for p, _ in both]), places, mean, std), 4),
                "l2q": round(inbetween.l2q(np.stack([q for _, q in both]), turns), 4),
                "npss": round(inbetween.npss(np.stack([q for _, q in both]), turns), 5),
            }
            for name, both in made.items()
        },
    }  # fmt: skip


def _window(motion: Motion, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
    return motion.joints()[first:last], rows.world(motion)[first:last]


def markdown(facts: dict[str, Any]) -> str:
    """The report as a page."""

    def triple(values: list[float] | None, digits: int = 2) -> str:
        return "" if values is None else f"{values[0]:.{digits}f} [{values[1]:.{digits}f}, {values[2]:.{digits}f}]"

    head = "| goals | clips | refused | hit | error, cm | skate, m/s | skate ratio | jerk ratio | faulty | CPU s |"
    lines = ["# Authoring", "", f"laban {facts['laban']} | {facts['machine']}", "", head, "|" + "---|" * 10]
    for row in (*facts["rows"], *({**r, "name": f"*{r['name']}*"} for r in facts["controls"])):
        cells = [
            triple(row.get(k)) for k in ("hit", "error_cm", "skate", "skate_ratio", "jerk_ratio", "faulty", "cpu_s")
        ]
        lines.append(f"| {row['name']} | {row['clips']} | {row['refused']} | " + " | ".join(cells) + " |")
    desk = facts["desk"]
    lines += [
        "", f"Cases from a desk: {desk['named'][0]} of {desk['named'][1]} impossible ones named, "
        f"{desk['false_alarms'][0]} of {desk['false_alarms'][1]} possible ones refused, {desk['met'][0]} met.", "",
    ]  # fmt: skip
    for case in desk["cases"]:
        said = "; ".join(case["reasons"]) or ("met" if case["ok"] else "not met")
        lines.append(f"- {case['name']} ({'possible' if case['possible'] else 'impossible'}): {said}")
    if facts["gaps"]:
        lines += ["", "| gap at 30 fps | clips | | L2P | L2Q | NPSS |", "|---|---|---|---|---|---|"]
        for gap in facts["gaps"]:
            for name in ("ours", "interpolated", "held"):
                if name in gap:
                    g = gap[name]
                    lines.append(f"| {gap['gap']} | {gap['clips']} | {name} | {g['l2p']} | {g['l2q']} | {g['npss']} |")
    return "\n".join(lines) + "\n"
