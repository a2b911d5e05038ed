"""Parts of a page are exchanged in place, and nothing else of it changes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from laban.errors import FormatError
from laban.evaluate import page

sys.path.insert(0, str(Path(__file__).parents[2] / "tools" / "docs"))


def test_parts_are_added_then_exchanged_in_place() -> None:
    one = page.replace_part("# Title\n\ntext\n", "long", "a table\n")
    two = page.replace_part(one, "other", "| b |")
    assert two.startswith("# Title\n\ntext\n\n<!-- begin long -->\na table\n<!-- end long -->\n")
    three = page.replace_part(two + "\nafter\n", "long", r"new \1 table")
    assert page.parts(three) == {"long": "new \\1 table\n", "other": "| b |\n"}
    assert three.index("new") < three.index("| b |") < three.index("after") and "a table" not in three
    assert page.replace_part(three, "long", r"new \1 table") == three


@pytest.mark.parametrize(
    "text",
    ["<!-- begin a -->\nx\n", "<!-- begin a -->\nx\n<!-- end a -->\n" * 2, "<!-- begin a -->\n<!-- begin a -->\nx\n"],
)
def test_broken_marks(text: str) -> None:
    with pytest.raises(FormatError, match="must begin once"):
        page.replace_part(text, "a", "y")


def test_the_results_page_keeps_what_others_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import results_page

    out = tmp_path / "results.md"
    out.write_text(page.replace_part("# Results\n\n## In short\n- by hand\n\nlaban 0.0\n", "experiment", "kept"))
    for name, facts in (("long", {"rows": 1}), ("report", {"rows": 2})):
        (tmp_path / f"{name}.json").write_text(json.dumps(facts))
        monkeypatch.setattr(results_page, "markdown" if name == "report" else "long_markdown",
                            lambda f: f"# T\n\nlaban 1.0\n\nrows {f['rows']}\n")  # fmt: skip
        monkeypatch.setattr(sys, "argv", ["results_page", str(tmp_path), str(out)])
    results_page.main()
    text = out.read_text()
    assert "- by hand" in text and "rows 2" in text and "laban 0.0" not in text
    assert page.parts(text).keys() == {"experiment", "long"} and "rows 1" in page.parts(text)["long"]
    before = text
    results_page.main()
    assert out.read_text() == before
