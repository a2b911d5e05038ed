"""The models of this installation, and what each can do."""

from __future__ import annotations

from dataclasses import dataclass

from laban.actions.context import Context


@dataclass(frozen=True)
class ModelsOptions:
    """There is nothing to ask."""


@dataclass(frozen=True)
class Shipped:
    """A model. Attributes: name: of the weights. system: that made them. can: what it does, and the command for it."""

    name: str
    system: str
    can: tuple[str, ...]


def models(_: ModelsOptions, context: Context) -> list[Shipped]:
    """All shipped models, by name.

    Args:
        _: nothing.
        context: asked whether to go on.
    """
    from laban.systems.capabilities import ABILITIES
    from laban.systems.registry import kind_of, shipped

    found = []
    for name in shipped():
        context.check()
        if name == "evaluator":
            continue
        kind = kind_of(name)[0]
        found.append(
            Shipped(name, kind.name, tuple(what for each, what in ABILITIES.items() if issubclass(kind, each)))
        )
    return found
