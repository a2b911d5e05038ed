"""A page that several commands write parts of: each part stands between marks of its own and is exchanged in place."""

from __future__ import annotations

import re

from laban.errors import FormatError

_PART = r"<!-- begin {name} -->\n(.*?)<!-- end {name} -->\n?"


def parts(page: str) -> dict[str, str]:
    """Name -> text of every marked part, in order.

    Raises: FormatError for a part that begins and does not end, or is there twice.
    """
    found: dict[str, str] = {}
    for name in re.findall(r"<!-- begin ([\w-]+) -->", page):
        held = re.findall(_PART.format(name=re.escape(name)), page, re.S)
        if len(held) != 1 or name in found:
            raise FormatError(f"page: part {name!r} must begin once and end once; mend its <!-- marks --> by hand.")
        found[name] = held[0]
    return found


def replace_part(page: str, name: str, text: str) -> str:
    """The page with the part `name` exchanged for `text`, or added at its end; everything else as it was.

    Raises: as `parts`.
    """
    part = f"<!-- begin {name} -->\n{text.strip()}\n<!-- end {name} -->\n"
    if name not in parts(page):
        return f"{page.rstrip()}\n\n{part}"
    return re.sub(_PART.format(name=re.escape(name)), lambda _: part, page, flags=re.S)
