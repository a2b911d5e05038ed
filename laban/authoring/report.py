"""What became of what was asked: per goal and for the whole, as one JSON-able record and as lines to read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from laban.metrics.constraints import Quality, Reached
from laban.motion.loops import LoopReport


@dataclass(frozen=True)
class Report:
    """The report of an authored motion.

    Attributes:
        feasible: whether the action can do what is asked.
        reasons: why not.
        goals: each, measured on the result (before its travel is taken out, if it is).
        quality: of the result beside the same sample unconstrained.
        faults: limits that it breaks.
        loop: how a cycle closes.
        solver: "full", "warp" (no steering) or "none" (nothing was forced).
        iterations: of steering.
        cpu_s: seconds of this process' CPU.
        notes: what a person should know.
    """

    feasible: bool
    reasons: tuple[str, ...]
    goals: tuple[Reached, ...]
    quality: Quality
    faults: tuple[str, ...]
    loop: LoopReport | None = None
    solver: str = "full"
    iterations: int = 0
    cpu_s: float = 0.0
    notes: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether everything asked was possible and is met."""
        return self.feasible and all(goal.hit for goal in self.goals) and (self.loop is None or self.loop.closes)

    def record(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "feasible": self.feasible, "reasons": list(self.reasons), "ok": self.ok,
            "goals": [goal.record() for goal in self.goals], "skate": round(self.quality.skate, 4),
            "skate_ratio": round(self.quality.skate_ratio, 3), "jerk_ratio": round(self.quality.jerk_ratio, 3),
            "quality": self.quality.record(), "faults": list(self.faults),
            "loop": None if self.loop is None else self.loop.record(), "solver": self.solver,
            "iterations": self.iterations, "cpu_s": round(self.cpu_s, 2), "notes": list(self.notes),
        }  # fmt: skip

    def lines(self) -> list[str]:
        """What a person reads."""
        found = [] if self.feasible else ["not feasible: " + reason for reason in self.reasons]
        for goal in self.goals:
            state = "hit" if goal.hit else "out of reach" if goal.unreachable else "missed"
            turned = f", {goal.degrees:.1f} degrees" if goal.degrees > 0.05 else ""
            found.append(
                f"  {goal.id}: {state}, {100 * goal.error_m:.2f} cm off{turned} (within {100 * goal.tolerance:g} cm)"
            )
        q = self.quality
        found.append(
            f"  skate {q.skate:.2f} m/s, {q.skate_ratio:.2f} of the same sample unconstrained; jerk {q.jerk_ratio:.2f}"
            + (f"; breaks the limits of {', '.join(self.faults)}" if self.faults else "")
        )
        if self.loop is not None:
            x = self.loop
            found.append(
                f"  cycle of {x.period:.2f} s, {x.travel:.2f} m on; seam {x.loop_error:.1f} mm (inside: median "
                f"{x.inside_median:.1f}, highest {x.inside_max:.1f}), yaw {x.yaw:.2f} degrees, contact {x.contact}"
            )
        return [*found, *(f"  note: {note}" for note in self.notes)]
