"""Findings say what the figures say, and call nothing a difference that intervals do not part."""

from __future__ import annotations

from typing import Any

import pytest

from laban.evaluate.findings import findings


def figure(value: float, half: float = 0.01) -> dict[str, float]:
    return {"value": value, "low": value - half, "high": value + half}


def row(name: str, top3: float, fid: float, axis: str = "", at: float = 0.0) -> dict[str, Any]:
    matched = {"r_precision": [figure(top3 - 0.2), figure(top3 - 0.1), figure(top3)], "mm_dist": figure(1 - top3)}
    return {
        "name": name, "axis": axis, "at": at, "evaluators": {"evaluator 0": {**matched, "fid": figure(fid)}},
        "physics": {"skate": figure(0.3), "jerk": figure(70.0)}, "control": {"all": figure(0.95)},
    }  # fmt: skip


@pytest.fixture
def facts() -> dict[str, Any]:
    rows = [
        row("real", 0.99, 0.0),
        row("momask", 0.95, 0.10),
        row("steps 1", 0.60, 0.50, "steps", 1),
        row("steps 5", 0.945, 0.105, "steps", 5),
        row("steps 25", 0.90, 0.11, "steps", 25),
        row("base layer only", 0.95, 0.20),
    ]
    system = {"name": "momask", "sampling": {"steps": 10, "guidance": 2.5}}
    return {"rows": rows, "system": system, "evaluators": {"evaluator 0": {}}}


def test_settings_that_cannot_be_told_from_the_best(facts: dict[str, Any]) -> None:
    said = findings(facts)
    assert "Best steps by evaluator 0: R@3 10, MM-Dist 10, FID 10." in said[0]
    assert "in any figure: 5, 10. The paper's best, 10, is among them." in said[0]
    assert not any("guidance" in line for line in said)  # no row tried another


def test_a_difference_needs_intervals_apart(facts: dict[str, Any]) -> None:
    line = next(line for line in findings(facts) if "residual" in line)
    assert "FID (evaluator 0) 0.200 for 0.100, " in line and "R@3 (evaluator 0) 0.950 for 0.950 (no difference)" in line


def test_a_worse_setting_of_the_paper_is_said(facts: dict[str, Any]) -> None:
    facts["rows"][3] = row("steps 5", 0.99, 0.01, "steps", 5)
    assert "in any figure: 5. The paper's best, 10, is not among them" in findings(facts)[0]


def test_files_of_motions_have_none(facts: dict[str, Any]) -> None:
    assert findings({**facts, "system": None}) == []
