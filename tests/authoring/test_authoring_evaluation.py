"""What authoring is scored on: goals that the real clip meets, cases that are timelines, a page of figures."""

from __future__ import annotations

import pytest

from laban.authoring import evaluation
from laban.authoring.desk import CASES
from laban.authoring.timeline import parse
from laban.evaluate import authoring_rows as rows
from laban.metrics import constraints
from laban.motion.motion import Motion
from tests.actions.stepping import stepper


@pytest.fixture(scope="module")
def real() -> Motion:
    return stepper(5.0)


@pytest.mark.parametrize("kind", evaluation.KINDS)
def test_goals_of_a_clip_are_met_by_the_clip_and_not_by_another(real: Motion, kind: str) -> None:
    goals = evaluation.goals_for(kind, real)
    made = constraints.reached(real, goals)
    assert all(each.hit for each in made), made
    other = constraints.reached(stepper(5.0, speed=0.6, phase=0.7), goals)
    assert not all(each.hit for each in other)


def test_rows_and_the_page_say_what_was_measured(real: Motion) -> None:
    row, empty = evaluation.Row("waypoints"), evaluation.Row("nothing")
    goals = evaluation.goals_for("waypoints", real)
    row.add(constraints.reached(real, goals), constraints.quality(real, real), dense=False, cpu=1.5)
    slid = rows.slide(real, goals.paths[0])
    row.add(constraints.reached(slid, goals), constraints.quality(slid, real), dense=False, cpu=0.5)
    facts = row.record(0)
    assert (facts["clips"], facts["cpu_s"][0], facts["faulty"][0]) == (2, 1.0, 0.5)
    assert facts["error_cm"][1] <= facts["error_cm"][0] <= facts["error_cm"][2]
    desk = {"named": [1, 1], "false_alarms": [0, 1], "met": [1, 1], "cases": []}
    page = evaluation.markdown(
        {"laban": "0", "machine": "m", "rows": [facts], "controls": [empty.record(0)], "desk": desk, "gaps": []}
    )
    assert "| waypoints | 2 | 0 |" in page and "*nothing* | 0 | 0 |" in page
    assert "1 of 1 impossible ones named" in page


def test_the_cases_are_timelines_of_both_kinds() -> None:
    assert len(CASES) == 16 and sum(possible for _, possible, _ in CASES) == 10
    assert len({name for name, _, _ in CASES}) == 16
    for _, _, timeline in CASES:
        assert parse(timeline.record()) == timeline
