"""Griffe extension for the API pages: one-line sections of docstrings become sections.

The docstrings of Laban say `Raises: InputError for X; FormatError for Y.` and `Returns: (T, 3) metres.` in running
lines, which read well in an editor; the Google style that the pages are made with wants an indented block each.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

SECTION = re.compile(
    r"^(?P<indent> *)(?P<name>Returns|Yields|Raises|Args): (?P<text>\S.*(?:\n(?P=indent) +\S.*)*)$", re.MULTILINE
)
ERROR = re.compile(r"(?:^|[;.,] (?:and )?)(?P<name>[A-Z]\w*Error|Cancelled|CheckFailed|StopIteration)\b:?,? ")


def sections(text: str) -> str:
    """A docstring with an indented block for each of its one-line sections.

    Args:
        text: the docstring, without the indentation of its source.
    """

    def block(match: re.Match[str]) -> str:
        indent, name = match["indent"], match["name"]
        content = " ".join(line.strip() for line in match["text"].splitlines())
        rows = raised(content) if name == "Raises" else [content]
        return "\n".join(["", f"{indent}{name}:", *(f"{indent}    {row}" for row in rows), ""])

    return SECTION.sub(block, text)


def raised(content: str) -> list[str]:
    """`InputError for X; FormatError for Y.` as one `Name: when` for each error."""
    starts = list(ERROR.finditer(content))
    if not starts or starts[0].start() > 0:
        return [f"LabanError: {content}"]
    ends = [*(match.start() for match in starts[1:]), len(content)]
    return [f"{match['name']}: {content[match.end() : end].strip()}" for match, end in zip(starts, ends, strict=True)]


class OneLineSections(griffe.Extension):
    """Rewrites every docstring before it is parsed."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Called by griffe for every module, class, function and attribute."""
        if obj.docstring is not None:
            obj.docstring.value = sections(obj.docstring.value)
