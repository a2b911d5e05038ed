"""A whole evaluation: every row is there, spoilt motion is seen, a stopped run goes on, leaks are refused."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import laban
from laban.data.corpus import Corpus
from laban.errors import InputError
from laban.evaluate import report
from laban.evaluate.cases import choose, leaks, mirror_images
from laban.evaluate.run import Settings, evaluate
from laban.evaluate.score import encoded
from laban.motion import humanml

ROWS = (
    "real", "features round trip", "tokenizer round trip", "jitter 2 cm", "frozen", "noise 10 cm", "shuffled captions",
    "momask",
)  # fmt: skip
SMALL = Settings(repeats=20, draws=50, quick=True)


@pytest.fixture(scope="module")
def done(corpus: Corpus, judge: Path, model: Path, tmp_path_factory: pytest.TempPathFactory):
    out = tmp_path_factory.mktemp("report")
    settings = replace(SMALL, quick=False, steps=(1, 2), guidance=(), cases=36)
    return out, evaluate(corpus, out, settings, system=laban.load(model), judges=(judge,))


def named(facts) -> dict:
    return {row["name"]: row for row in facts["rows"]}


def test_every_control_row_stands_in_the_report(done) -> None:
    out, facts = done
    assert set(ROWS) <= set(named(facts))
    text = (out / "report.md").read_text()
    for name in (*ROWS, "base layer only", "bf16", "cleaned", "steps 1"):
        assert f"| {name} |" in text, name
    assert json.loads((out / "report.json").read_text())["rows"] == facts["rows"]
    assert {p.name for p in out.glob("*.svg")} >= {"r-precision-top-3.svg", "fid.svg", "foot-skate.svg"}
    assert "Best steps by" in text and "Do the residual layers matter?" in text
    for path in out.glob("*.svg"):
        assert "nan" not in path.read_text() and path.read_text().endswith("</svg>\n")


def test_it_says_what_it_was_made_with(done, corpus: Corpus) -> None:
    _, facts = done
    assert len(facts["system"]["weights"]) == 64 and facts["data"]["fingerprint"] == corpus.fingerprint
    assert "Python" in facts["machine"] and facts["peak_megabytes"] > 10
    assert len(facts["seeds"]["case"]) == facts["data"]["clips"] == 36
    assert facts["leakage"]["momask"] == "trained on the training split of this very corpus"
    assert named(facts)["momask"]["seconds_per_clip"] > 0
    assert set(facts["export_error"]) == {".bvh", ".glb", ".npz"} and max(facts["export_error"].values()) < 1e-4
    assert named(facts)["momask"]["evaluators"]["evaluator 0"]["multimodality"]["value"] > 0


def test_spoilt_motion_is_seen(done) -> None:
    rows = named(done[1])

    def distance(name: str) -> float:
        return rows[name]["evaluators"]["evaluator 0"]["fid"]["value"]

    def jerk(name: str) -> float:
        return rows[name]["physics"]["jerk"]["value"]

    assert distance("real") < 1e-9 and distance("features round trip") < 1e-3
    assert distance("features round trip") < distance("jitter 2 cm") < distance("noise 10 cm")
    assert 5 * jerk("real") < jerk("jitter 2 cm") < jerk("noise 10 cm") and jerk("frozen") == 0
    assert rows["noise 10 cm"]["physics"]["skate"]["of_real"] > 3
    assert rows["jitter 2 cm"]["physics"]["joint_error"]["value"] == pytest.approx(0.02 * 1.596, rel=0.02)


def test_shuffled_captions_fall_to_chance(done) -> None:
    rows = named(done[1])
    real, shuffled = (rows[n]["evaluators"]["evaluator 0"] for n in ("real", "shuffled captions"))
    assert real["r_precision"][0]["low"] > real["chance"][0] + 0.3
    for k in range(3):
        assert shuffled["r_precision"][k]["low"] <= shuffled["chance"][k] <= shuffled["r_precision"][k]["high"]
    assert shuffled["fid"]["value"] == pytest.approx(0, abs=1e-9)  # the same clips in another order


def test_which_figure_sees_what_is_said(done) -> None:
    told = {(s["figure"], s["evaluator"]): s for s in done[1]["sees"]}
    assert told["jerk", ""]["told"]["noise 10 cm"] == "yes"
    assert told["foot skate", ""]["told"]["frozen"] == "better"
    assert told["R-precision top-1", "evaluator 0"]["told"]["shuffled captions"] == "yes"
    assert told["foot skate", ""]["ranks"] is False and "frozen before" in told["foot skate", ""]["why"]


def test_a_report_without_its_control_rows_is_no_report(done) -> None:
    rows = done[1]["rows"]
    without = report.distinguishing_metrics([r for r in rows if r["name"] != "frozen"])
    assert all("frozen" not in s["told"] for s in without)
    with pytest.raises(KeyError):
        report.distinguishing_metrics([r for r in rows if r["name"] != "real"])


def test_the_same_settings_give_the_same_report_and_only_what_is_missing_is_made(
    corpus: Corpus, judge: Path, model: Path, tmp_path: Path
) -> None:
    def again() -> list:
        facts = evaluate(corpus, tmp_path, SMALL, system=laban.load(model), judges=(judge,))
        return [{k: v for k, v in row.items() if k != "seconds_per_clip"} for row in facts["rows"]]

    first = again()
    files = sorted((tmp_path / "motions" / "momask").iterdir())
    assert len(files) == 2
    before = files[0].stat().st_mtime_ns
    files[1].write_bytes(files[1].read_bytes()[:1000])  # killed while writing, on a system without atomic renames
    assert again() == first
    assert files[0].stat().st_mtime_ns == before and files[1].stat().st_size > 1000


def test_other_weights_do_not_take_the_motions_of_the_first(
    corpus: Corpus, judge: Path, model: Path, tmp_path: Path
) -> None:
    settings = replace(SMALL, cases=4)
    system = laban.load(model)
    one = evaluate(corpus, tmp_path, settings, system=system, judges=(judge,))
    system.provenance.hash = "0" * 64
    path = next((tmp_path / "motions" / "momask").iterdir())
    before = path.stat().st_mtime_ns
    two = evaluate(corpus, tmp_path, settings, system=system, judges=(judge,))
    assert path.stat().st_mtime_ns != before and one["system"]["weights"] != two["system"]["weights"]
    assert named(two)["momask"]["evaluators"]["evaluator 0"]["r_precision"] is None  # fewer than a pool
    assert re.search(r"\| momask \| - \| - \| - \|", (tmp_path / "report.md").read_text())


def test_a_batch_of_clips_has_the_features_of_each_alone(corpus: Corpus) -> None:
    clips = [c.joints for c in choose(corpus, "test", None, 0)][:9]
    for together, clip in zip(encoded(clips, 4), clips, strict=True):
        assert np.array_equal(together, humanml.encode(clip))


def test_cases_are_drawn_by_seed_and_sorted_by_length(corpus: Corpus) -> None:
    some = choose(corpus, "test", 10, 0)
    assert [c.id for c in some] == [c.id for c in choose(corpus, "test", 10, 0)]
    assert {c.id for c in some} != {c.id for c in choose(corpus, "test", 10, 1)}
    assert [len(c.joints) for c in some] == sorted(len(c.joints) for c in some)


def test_mirror_images_are_those_of_the_cases_in_their_order(corpus: Corpus) -> None:
    mirrored = Corpus(list(corpus._parts.values()))
    held = choose(corpus, "test", 6, 0)
    twins = [replace(r, id=f"M{r.id}", mirror_of=r.id) for r in corpus.records]
    mirrored.records = [*corpus.records, *twins]
    assert [c.id for c in mirror_images(mirrored, "test", held[:3])] == [f"M{c.id}" for c in held[:3]]
    assert mirror_images(corpus, "test", held) == []


@pytest.mark.parametrize("how", ["source", "mirror", "motion"])
def test_a_leak_is_refused(how: str, corpus: Corpus, judge: Path, tmp_path: Path) -> None:
    leaky = Corpus(list(corpus._parts.values()))
    train, test = corpus.select("train")[0], corpus.select("test")[0]
    changed = {
        "source": replace(test, source=train.source),
        "mirror": replace(test, id="M-x", mirror_of=train.id),
        "motion": replace(test, id="copy", start=train.start, length=train.length),
    }[how]
    leaky.records = [changed if r is test else r for r in corpus.records]
    assert leaks(corpus, "test") == [] and len(leaks(leaky, "test")) == 1
    with pytest.raises(InputError, match="not held out"):
        evaluate(leaky, tmp_path / "out", SMALL, motions=(), judges=(judge,))
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="training split itself"):
        evaluate(corpus, tmp_path / "out", replace(SMALL, split="train"), judges=(judge,))


def test_on_real_motion_the_ranks_hold_and_words_matter(prepared: Corpus, tmp_path: Path) -> None:
    facts = evaluate(prepared, tmp_path, Settings(cases=128, repeats=20, draws=200))
    rows = named(facts)
    for name in facts["evaluators"]:
        figures = {row: rows[row]["evaluators"][name] for row in rows}
        for figure in ("mm_dist", "fid"):
            order = ["real", "jitter 2 cm", "frozen", "noise 10 cm"]
            values = [figures[row][figure]["value"] for row in order]
            assert values == sorted(values), (figure, values)
            assert figures["features round trip"][figure]["value"] < figures["jitter 2 cm"][figure]["low"]
        real, shuffled = figures["real"], figures["shuffled captions"]
        assert real["r_precision"][2]["value"] >= max(0.85, real["chance"][2] + 0.4)
        assert shuffled["r_precision"][2]["low"] <= shuffled["chance"][2] <= shuffled["r_precision"][2]["high"]
    control = rows["shuffled captions"]["control"]["all"]
    assert control["low"] <= facts["control_chance"] <= control["high"]
    assert rows["real"]["control"]["all"]["value"] > 0.9 > rows["frozen"]["control"]["all"]["value"]
    assert rows["real"]["physics"]["jerk"]["high"] < rows["jitter 2 cm"]["physics"]["jerk"]["low"]
