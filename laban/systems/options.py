"""Bounds of the options of `generate`, said once for systems and commands. Imports no torch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from numbers import Real
from typing import Any, TypeVar

from laban.errors import InputError
from laban.systems.requests import TextRequest

Options = TypeVar("Options")

ENDLESS = 2**63 - 1
"""Largest whole number; a bound that is no limit in practice."""


@dataclass(frozen=True)
class Bounds:
    """The smallest and the largest value of an option."""

    low: float
    high: float
    whole: bool = False

    def __str__(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        if self.high == ENDLESS:
            return f"{kind} of {self.low:g} or more"
        return f"{kind} from {self.low:g} to {self.high:g}"

    def check(self, name: str, value: Any) -> None:
        """Raises InputError, naming the option, unless the value is a number within the bounds."""
        number = isinstance(value, int if self.whole else Real) and not isinstance(value, bool)
        if not (number and math.isfinite(value) and self.low <= value <= self.high):
            shown = f"{value:g}" if isinstance(value, float) else repr(value)
            raise InputError(f"{name} is {shown}, expected {self}.")


SEED = Bounds(0, ENDLESS, whole=True)
STEPS = Bounds(1, 1000, whole=True)
GUIDANCE = Bounds(0, 100)
TEMPERATURE = Bounds(0, 100)
"""Of systems that take the likeliest code at 0."""
DIVISOR = Bounds(1e-9, 100)
"""A temperature that logits are divided by."""
TOP_K = Bounds(1, 1_000_000, whole=True)

SAMPLING: Mapping[str, Bounds] = {
    "steps": STEPS,
    "guidance": GUIDANCE,
    "residual_guidance": GUIDANCE,
    "temperature": DIVISOR,
    "residual_temperature": DIVISOR,
}
"""Bounds of the options of systems that unmask tokens."""
PRECISIONS = ("32", "bf16")


def check_sampling(where: str, options: Mapping[str, Any], bounds: Mapping[str, Bounds] = SAMPLING) -> None:
    """Checks those options that have bounds.

    Args:
        where: who asks, for the message: "momask.generate".
        options: values by name; names without bounds are left to the caller.
        bounds: by name.
    Raises: InputError naming the option that is out of bounds.
    """
    for name, value in options.items():
        if name in bounds:
            bounds[name].check(f"{where}: {name}", value)
        elif name == "precision" and value not in PRECISIONS:
            raise InputError(f"{where}: precision is {value!r}, expected '32' or 'bf16'.")


def options_of(kind: type[Options], where: str, given: Mapping[str, Any], defaults: object = None) -> Options:
    """The options of one call of `generate`: those that are given, else the configuration's.

    Args:
        kind: a frozen dataclass of options.
        where: who asks, for the message: "momask.generate".
        given: values by name; None stands for the default.
        defaults: a configuration; where it has no field of an option's name, the option's own default holds.
    Raises: InputError naming an option that there is not.
    """
    known = {f.name: getattr(defaults, f.name, f.default) for f in fields(kind)}  # type: ignore[arg-type]
    for name, value in given.items():
        if name not in known:
            raise InputError(f"{where}: unknown option {name!r}; known: {', '.join(known)}.")
        if value is not None:
            known[name] = value
    return kind(**known)


def check_seed(where: str, seed: int, first_index: int = 0) -> None:
    """Raises InputError unless the seed and the number of the first sample are whole numbers of 0 or more."""
    SEED.check(f"{where}: seed", seed)
    SEED.check(f"{where}: first_index", first_index)


def check_texts(where: str, requests: Sequence[TextRequest], longest: float) -> None:
    """Checks what a system that reads text is asked for.

    Args:
        where: who asks, for the message.
        requests: of `generate`.
        longest: seconds that the system makes at most.
    Raises: InputError naming the request that has no text, or a length that cannot be.
    """
    for number, request in enumerate(requests, start=1):
        if not isinstance(request.text, str) or not request.text.strip():
            raise InputError(f"{where}: request {number} has an empty text; say what the person does.")
        seconds = request.seconds
        if seconds is not None and not (math.isfinite(seconds) and 0 < seconds <= longest):
            raise InputError(f"{where}: seconds is {seconds:g}, expected more than 0 and at most {longest:g}.")
