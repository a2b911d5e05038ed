"""The examples run, from first to last line, and write what they say."""

from __future__ import annotations

import runpy
import sys
import warnings
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "examples"
WRITES = {
    "01_text_to_motion": {"walk.glb", "walk.bvh", "walk.npz", "walk.png"},
    "02_song_to_dance": {"dance.glb", "dance.png"},
    "03_script": {"script.bvh"},
    "04_edit": {"raised.glb", "longer.glb"},
    "05_character": {"mannequin.glb", "hero_wave.glb", "hero_wave.glb.certificate.json"},
    "06_search": {"clips/bow.npz", "blend-1.bvh", "blend-2.bvh", "blend-3.bvh"},
    "07_train_tiny": {"captioned/captions.tsv", "run/config.json", "run/masked.safetensors"},
    "08_own_evaluation": {"scores.csv"},
}


def test_every_example_is_tested_and_on_its_page() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} == set(WRITES)
    page = (FOLDER.parent / "docs" / "examples.md").read_text(encoding="utf-8")
    assert [name for name in WRITES if f"examples/{name}.py" not in page] == []


@pytest.mark.parametrize("name", WRITES)
def test_an_example_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [f"{name}.py", str(tmp_path)])
    with warnings.catch_warnings():
        warnings.simplefilter("default")  # an example may say that a tiny model does not do what was asked
        runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
    assert [file for file in sorted(WRITES[name]) if not (tmp_path / file).is_file()] == []
    assert capsys.readouterr().out
