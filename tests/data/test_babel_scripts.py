"""BABEL's json, on files of its form: pairs as TEACH makes them, compositions, the directional subset."""

import json

import numpy as np
import pytest

from laban.data import babel_scripts as babel
from laban.errors import FormatError, InputError


def label(text: str, start: float, end: float, *kinds: str) -> dict:
    return {
        "raw_label": text.upper(), "proc_label": text, "seg_id": "x", "act_cat": list(kinds), "start_t": start,
        "end_t": end,
    }  # fmt: skip


def sequence(*labels: dict, dur: float = 20.0, whole: dict | None = None) -> dict:
    seq = {"labels": [whole or {"raw_label": "stuff", "proc_label": "stuff", "seg_id": "y", "act_cat": []}]}
    frames = {"labels": list(labels)} if labels else None
    return {
        "babel_sid": 1, "url": "https://x", "feat_p": "BMLrub/rub018/rub018/0001_treadmill_poses.npz", "dur": dur,
        "seq_ann": seq, "frame_ann": frames,
    }  # fmt: skip


@pytest.fixture
def recordings(tmp_path):
    table = {
        "10": sequence(
            label("walk forward", 0, 4), label("transition", 4, 5, "transition"), label("turn left", 5, 8),
            label("wave right hand", 7, 12), label("stand", 15, 19),
        ),
        "9": sequence(dur=6.0),
        "11": sequence(label("wave left then right", 0, 4), label("sit", 4, 4.3), label("jump", 4.3, 9)),
    }  # fmt: skip
    path = tmp_path / "val.json"
    path.write_text(json.dumps(table))
    return babel.read(path)


def test_labels_are_read(recordings) -> None:
    assert [r.id for r in recordings] == ["9", "10", "11"]
    whole, frames = recordings[0], recordings[1]
    assert not whole.frame_level and whole.actions == (babel.Action("stuff", 0.0, 6.0),)
    assert frames.frame_level and len(frames.actions) == 5 and frames.actions[1].is_transition


def test_pairs_follow_teachs_rules(recordings) -> None:
    found = list(babel.pairs(recordings[1]))
    assert [(p.first.text, p.second.text) for p in found] == [
        ("walk forward", "turn left"), ("turn left", "wave right hand"),
    ]  # fmt: skip
    through, overlap = found
    assert (through.start, through.first_end, through.middle, through.end) == (0, 4, 5, 8)
    assert (overlap.first_end, overlap.middle) == (7.5, 7.5)  # the overlap is split midway
    # stand is 3 s later with no transition between: no pair. sit lasts 9 frames: too short
    assert list(babel.pairs(recordings[2])) == []
    assert len(list(babel.pairs(recordings[2], shortest=5))) == 2
    assert list(babel.pairs(recordings[0])) == []


def test_directional_subset_and_compositions(recordings) -> None:
    actions = babel.single_actions(recordings)
    assert "transition" not in {a.text for a in actions} and "sit" not in {a.text for a in actions}
    assert [a.text for a in babel.directional(actions)] == ["turn left", "wave right hand"]
    made = babel.compositions(actions, count=3, length=8, seed=1)
    assert made == babel.compositions(actions, count=3, length=8, seed=1) != babel.compositions(actions, 3, 8, 2)
    assert all(len(row) == 8 and all(30 <= n <= 200 for _, n in row) for row in made)
    own = {a.text: round((a.end - a.start) * 30) for a in actions}
    assert all(n == own[t] for row in made for t, n in row[::2])
    with pytest.raises(InputError, match="no action"):
        babel.compositions([])


def test_features_are_checked(recordings, tmp_path) -> None:
    recording = recordings[0]
    path = tmp_path / "BMLrub__rub018__rub018__0001_treadmill_poses.npy"
    with pytest.raises(InputError, match="missing"):
        babel.features(tmp_path, recording)
    for array, match in (
        (np.zeros((180, 7)), "shape"), (np.full((180, 135), np.nan), "finite"), (np.zeros((90, 135)), "about 180"),
    ):  # fmt: skip
        np.save(path, array)
        with pytest.raises(FormatError, match=match):
            babel.features(tmp_path, recording)
    path.write_bytes(b"no array")
    with pytest.raises(FormatError, match="cannot be read"):
        babel.features(tmp_path, recording)
    for width, frames in ((135, 180), (263, 120)):
        np.save(path, np.zeros((frames, width), np.float32))
        assert babel.features(tmp_path, recording).shape == (frames, width)


@pytest.mark.parametrize(
    ("table", "match"),
    [
        ([1], "table of sequences"), ({}, "table of sequences"), ({"1": 3}, "sequence 1"),
        ({"1": {**sequence(), "dur": "x"}}, "dur"), ({"1": {**sequence(), "seq_ann": None}}, "neither"),
        ({"1": sequence(label("a", 5, 5))}, "label 0"), ({"1": sequence({"proc_label": 3})}, "label 0"),
        ({"1": sequence(label("a", -1, 5))}, "label 0"),
        ({"1": {**sequence(), "frame_ann": {"labels": [2]}}}, "label 0"),
    ],
)  # fmt: skip
def test_damaged_files(table, match, tmp_path) -> None:
    path = tmp_path / "val.json"
    path.write_text(json.dumps(table))
    with pytest.raises(FormatError, match=match):
        babel.read(path)


def test_unreadable_files(tmp_path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        babel.read(tmp_path / "absent.json")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(FormatError, match="not JSON"):
        babel.read(tmp_path / "bad.json")
