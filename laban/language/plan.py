"""What a sentence asks for, step by step: plain data that a caller performs and prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

TIMES = {2: "twice"}


@dataclass(frozen=True)
class Route:
    """Where a step goes.

    kind: `in_place` (no travel), `circle`, `turn` (about the vertical), `zigzag` or `straight`.
    side: `left` (counter-clockwise from above) or `right` of a circle or turn.
    degrees: how far a turn goes.
    turns: how many times around a circle; 0.5 is half of one.
    """

    kind: str
    side: str | None = None
    degrees: float | None = None
    turns: float | None = None

    def __str__(self) -> str:
        if self.kind == "turn":
            return f"{self.degrees:g} degrees to the {self.side}"
        if self.kind == "circle":
            around = "a circle" if self.turns == 1 else f"{self.turns:g} of a circle"
            if self.turns is not None and self.turns > 1:
                around = f"{self.turns:g} circles"
            return f"in {around} to the {self.side}"
        return {"in_place": "in place", "zigzag": "in a zigzag", "straight": "in a straight line"}[self.kind]


@dataclass(frozen=True)
class Step:
    """One action.

    text: a sentence with its subject, for the model: `a person waves with the left hand`.
    seconds: how long, None where the sentence does not say.
    repeats: how often `text` happens, one after the other.
    route: where it goes, None where the model decides.
    tempo: 1.25 is a quarter faster than the action usually is; None where the sentence does not say.
    parts: the sentences of what happens at once, that of the legs first; empty where there is one action only. `text`
        names them all, so that a caller may leave this alone.
    """

    text: str
    seconds: float | None = None
    repeats: int = 1
    route: Route | None = None
    tempo: float | None = None
    parts: tuple[str, ...] = ()

    @property
    def asks(self) -> bool:
        """Whether more than the text was asked for: a length, a count, a route or a tempo."""
        return (self.seconds, self.repeats, self.route, self.tempo) != (None, 1, None, None)


@dataclass(frozen=True)
class Plan:
    """The steps of a sentence, and what of it could not be obeyed."""

    sentence: str
    steps: tuple[Step, ...]
    warnings: tuple[str, ...] = ()

    @property
    def plain(self) -> bool:
        """Whether the plan is the sentence itself: nothing to perform step by step."""
        return len(self.steps) == 1 and self.steps[0].text == self.sentence and not self.steps[0].asks

    def summary(self, seconds: Sequence[float] | None = None) -> str:
        """One line: `walks forward (2.5 s), stops, waves with the right hand twice`.

        Args:
            seconds: lengths of the steps where the caller knows them; otherwise those that the sentence gives.
        """
        told = []
        for number, step in enumerate(self.steps):
            length = seconds[number] if seconds is not None else step.seconds
            words = step.text.rstrip(".!")
            words = words.split(" ", 2)[-1] if words.lower().startswith("a person ") else words
            if step.route is not None and not _says_turn(step):
                words += f" {step.route}" if step.route.kind != "turn" else f" by {step.route}"
            if step.repeats > 1:
                words += " " + TIMES.get(step.repeats, f"{step.repeats} times")
            told.append(words + (f" ({length:g} s)" if length is not None else ""))
        return ", ".join(told)

    def to_dict(self) -> dict[str, Any]:
        """For JSON: sentence, steps, warnings, and the summary."""
        return {
            "sentence": self.sentence,
            "steps": [asdict(step) | {"parts": list(step.parts)} for step in self.steps],
            "warnings": list(self.warnings),
            "summary": self.summary(),
        }


def _says_turn(step: Step) -> bool:
    return step.route is not None and step.route.kind == "turn" and "around" in step.text and step.route.degrees == 180
