"""Commands whose options are a dataclass: names, defaults, help and bounds are those of its fields."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field
from pathlib import Path

import pytest
import tyro

from laban import cli
from laban.actions.options import bounded, described
from laban.commands.arguments import REQUIRED, takes_options
from laban.errors import InputError
from laban.systems.options import Bounds


@dataclass(frozen=True)
class Hat:
    size: int = bounded(3, Bounds(1, 9, whole=True), "How large the hat is.")


@dataclass(frozen=True)
class Options:
    who: str = described(MISSING, "Whose hat.")
    folder: Path | None = described(None, "Where it hangs.")
    out: tuple[Path, ...] = described((), "Files.")
    hat: Hat = field(default=Hat())


@takes_options("who", defaults={"out": REQUIRED}, folder=tyro.conf.arg(name="in"))
def dress(options: Options, quiet: bool = False) -> int:
    """Put on a hat.

    Args:
        quiet: Say nothing.
    """
    seen.append((options, quiet))
    return 0


seen: list[tuple[Options, bool]] = []


def test_fields_are_options_and_nested_ones_too() -> None:
    seen.clear()
    words = ["Ann", "--in", "hall", "--out", "a.glb", "b.glb", "--size", "5", "--quiet"]
    assert cli.parse_and_call(dress, "dress", words) == 0
    assert seen == [(Options("Ann", Path("hall"), (Path("a.glb"), Path("b.glb")), Hat(5)), True)]
    assert cli.parse_and_call(dress, "dress", ["Ann", "--out", "a.glb"]) == 0
    assert seen[1] == (Options("Ann", None, (Path("a.glb"),)), False)


def test_help_is_that_of_the_fields(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.parse_and_call(dress, "dress", ["--help"]) == 0
    said = capsys.readouterr().out
    assert all(
        text in said for text in ("Put on a hat.", "Whose hat. (required)", "How large the hat is. (default: 3)")
    )
    assert "--in PATH" in said and "Say nothing." in said and "--hat" not in said
    assert "usage: laban dress [-h] WHO" in said and "(default: None)" not in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["Ann"], "--out"),
        (["Ann", "--out", "a.glb", "--size", "10"], "--size is 10, expected a whole number from 1 to 9"),
        (["Ann", "--out", "a.glb", "--folder", "hall"], "--folder"),
    ],
)
def test_what_is_refused(words: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        cli.parse_and_call(dress, "dress", words)
