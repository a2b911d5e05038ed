"""Timelines performed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laban.actions.context import Context
from laban.api.call import options_of, surroundings

if TYPE_CHECKING:
    from laban.authoring.author import Authored
    from laban.authoring.timeline import Timeline


def author(
    timeline: str | Path | Mapping[str, Any] | Timeline,
    out: str | Path | Sequence[str | Path] | None = None,
    *,
    context: Context | None = None,
    **options: Any,
) -> Authored:
    """The motion of a timeline, with a report of what was met.

    Args:
        timeline: a file, what JSON would give of one, or a `laban.Timeline`.
        out: files to write, if any.
        context: models, progress, warnings.
        options: further fields of [`AuthorOptions`][laban.actions.author.AuthorOptions].
    Returns: `motion`, `report` and `candidates`.
    Raises: InputError for what cannot be asked.
    """
    from laban.actions import author as action
    from laban.authoring.timeline import Timeline, parse

    surrounding = surroundings(context)
    if isinstance(timeline, Mapping):
        timeline = parse(timeline, surrounding.warn)
    given = timeline if isinstance(timeline, Timeline) else Path(timeline)
    files = [] if out is None else [out] if isinstance(out, str | Path) else list(out)
    named = {"timeline": given, "out": tuple(Path(file) for file in files)}
    return action.author(options_of(action.AuthorOptions, options, named), surrounding)
