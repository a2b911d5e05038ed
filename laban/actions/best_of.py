"""The best of several motions for one sentence, by geometry: what was asked, standing and skating feet, the floor.

No learned judge. The rules for what was asked are those of `laban.metrics.control`, so figures of that judge on
selected motions say nothing about the model: benchmarks/control.py judges motions as they are drawn.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from laban.metrics import control, gait, physics
from laban.motion.motion import Motion
from laban.motion.skeletons import HUMANML22

if TYPE_CHECKING:
    from laban.systems.base import System
    from laban.systems.requests import TextRequest

DRAWN = 4  # motions that `laban generate` draws for each sentence unless told otherwise
LIGHT = 12_000_000  # parameters up to which that costs little (the shipped model has 8 million)
SKATE = 0.30  # m/s: real held-out clips have 0.29 (docs/method/momask.md); the unit of the score
PENETRATION = 0.01  # m, the project's limit
JERK = 130.0  # m/s^3 at 20 fps: 1.7 times that of real held-out clips, the project's limit
UNSUPPORTED = 4.0  # a walk that never stands weighs as much as four times the skate of a real clip
UNEVEN = 5.0  # strides whose times vary by a fifth of their mean weigh as much as the skate of a real clip
SLIDE = 0.3  # m per contact that weigh as much as the skate of a real clip
PENALTY = 2.0  # a gate that is failed weighs as much as twice the skate of a real clip

_HANDS = re.compile(r"\b(hand|hands|arm|arms|palm|palms|wrist|wrists|fist|fists)\b")
_UP = re.compile(r"\b(rais|lift|wav|elevat|hoist)\w*|\bputs? .*\b(up|overhead)\b")
STEPS = re.compile(r"\b(walk|stroll|stride|march|step|limp|shuffl|wander|saunter|pac|turn|sneak|tiptoe)\w*")
RUNS = re.compile(r"\b(run|jog|sprint|dash)\w*")
_TURN = re.compile(r"\b(turn|veer|pivot|swivel|curv)(s|es|ing)?\b")


@dataclass(frozen=True)
class Judged:
    """One motion: its place among its siblings, whether it does what was asked (None: no rule), and the measures."""

    index: int
    asked: str | None
    does: bool | None
    score: float
    measures: dict[str, float]

    def facts(self, drawn: int) -> dict[str, Any]:
        """For the passport."""
        return {
            "drawn": drawn, "index": self.index, "asked": self.asked, "does": self.does,
            **{name: round(value, 4) for name, value in self.measures.items() if np.isfinite(value)},
        }  # fmt: skip


def expectation_of(text: str) -> str | None:
    """The rule of `laban.metrics.control` that a sentence names beyond doubt, or None.

    >>> expectation_of("a person raises the left hand"), expectation_of("she turns right"), expectation_of("he sits")
    ('raise_left', 'turn_right', None)
    """
    said = text.lower()
    left, right = re.search(r"\bleft\b", said), re.search(r"\bright\b", said)
    side = None if bool(left) == bool(right) else "left" if left else "right"
    if _HANDS.search(said):
        if not _UP.search(said):
            return None
        if re.search(r"\bboth\b", said) and not side:
            return "raise_both"
        return f"raise_{side}" if side and not re.search(r"\bboth\b", said) else None
    if _TURN.search(said):
        return f"turn_{side}" if side and not re.search(r"\baround\b|\bback\b", said) else None
    if re.search(r"\bwalk\w*\b", said):
        if re.search(r"\bbackwards?\b", said):
            return "walk_backward"
        if re.search(r"\bto (the|his|her|their) (left|right)\b", said):
            return f"walk_{side}" if side else None
        return "walk" if re.search(r"\bforwards?\b", said) and not side else None
    if re.search(r"\b(runs|running|dashes|sprints)\b", said) and not re.search(r"\bplace\b|\bbackwards?\b", said):
        return "run"
    return "bow" if re.search(r"\b(bows|bowing)\b", said) else None


def judge(motion: Motion, text: str, index: int = 0) -> Judged:
    """Measures of one motion; smaller scores are better.

    A motion on another skeleton than HumanML3D's, or of fewer than four frames, cannot be measured: its score is 0.
    """
    if motion.skeleton.names != HUMANML22.names or motion.frames < 4:
        return Judged(index, None, None, 0.0, {})
    joints = motion.joints()
    measures = {
        "skate": float(physics.skate(joints, motion.fps)),
        "penetration": float(physics.penetration(joints)),
        "jerk": float(physics.jerk(joints, motion.fps)),
        "hover": gait.airborne(joints, motion.fps),
        "no_standing_foot": gait.no_standing_foot(joints, motion.fps),
    }
    gates = (
        (measures["penetration"] > PENETRATION)
        + (measures["jerk"] > JERK)
        + 4 * (measures["hover"] > gait.LONGEST_JUMP)
    )
    score = measures["skate"] / SKATE + PENALTY * gates
    if STEPS.search(text.lower()):
        score += UNSUPPORTED * measures["no_standing_foot"]
    if STEPS.search(text.lower()) or RUNS.search(text.lower()):
        found = gait.gait(joints, motion.fps)
        measures |= {"stride_cv": found.stride_cv, "slide": found.slide}
        score += UNEVEN * (found.stride_cv if np.isfinite(found.stride_cv) else 0.0)
        score += (found.slide if np.isfinite(found.slide) else 0.0) / SLIDE
    asked = expectation_of(text)
    does = None if asked is None else bool(control.judge(asked, joints, motion.fps))
    return Judged(index, asked, does, score, measures)


def best(motions: Sequence[Motion], text: str, count: int) -> list[Judged]:
    """The `count` best of some motions of one sentence, best first.

    Those that do what was asked come before those that do not; then by score; equals by their order.
    """
    judged = [judge(motion, text, i) for i, motion in enumerate(motions)]
    return sorted(judged, key=lambda j: (j.does is False, j.score, j.index))[:count]


def drawn_by_default(system: System) -> int:
    """Default number of candidates: DRAWN of a small model, 1 of a large one."""
    total = sum(p.numel() for stage in system.stages() for p in system.module(stage).parameters())
    return DRAWN if total <= LIGHT else 1


def draw_best(
    system: System, request: TextRequest, seed: int, drawn: int, kept: int, options: Mapping[str, Any]
) -> list[Motion]:
    """Draw some motions of one sentence at once and keep the best, best first.

    Their passports say of how many they were chosen and why; `replay` draws them again and takes the same one. With
    `drawn` equal to `kept` nothing is chosen, and the motions come in the order of their numbers.
    """
    motions = system.generate([request] * drawn, seed=seed, **options)
    if drawn == kept:
        return motions
    chosen = []
    for judged in best(motions, request.text, kept):
        motion = motions[judged.index]
        chosen.append(replace(motion, passport={**(motion.passport or {}), "selection": judged.facts(drawn)}))
    return chosen
