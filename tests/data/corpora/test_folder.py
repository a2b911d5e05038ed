"""Any folder of motions with captions: tables, stretches, splits, loops, travel that was taken out, and refusals."""

import numpy as np
import pytest

from laban.data.corpora import folder
from laban.data.corpus import Corpus
from laban.data.cycles import longest_hover, repeated, unsupported, with_travel
from laban.data.prepare import prepare
from laban.data.standing import pieces
from laban.data.synthesis import walkers
from laban.errors import FormatError, InputError
from laban.io import bvh
from laban.motion.motion import Motion

HEAD = "file\tstart_s\tend_s\tcaptions\taction\tloop\tlicence\n"


@pytest.fixture
def clips(tmp_path):
    """Six walks and a gesture in two folders, one of which is captioned in two stretches."""
    (tmp_path / "src" / "more").mkdir(parents=True)
    for i in range(6):
        bvh.write(Motion.from_joints(walkers.joints(0, 80, 1.0, 0.2 * i), 20), tmp_path / "src" / f"walk{i}.bvh")
    bvh.write(Motion.from_joints(walkers.joints(2, 120, 0.0, 0.5), 20), tmp_path / "src" / "more" / "wave.bvh")
    rows = "".join(f"walk{i}.bvh\t\t\ta person walks|a person walks forward\twalk\t0\tMIT\n" for i in range(6))
    (tmp_path / "src" / "captions.tsv").write_text(HEAD + rows)
    two = "wave.bvh\t0\t3\ta person raises the left hand\twave\t0\tCC0\nwave.bvh\t3\t6\ta person waves\twave\t0\tCC0\n"
    (tmp_path / "src" / "more" / "captions.tsv").write_text(HEAD + two)
    return tmp_path / "src"


def test_a_folder_becomes_a_corpus_with_both_stretches_and_their_mirror_images(clips, tmp_path):
    report = prepare("folder", clips, tmp_path / "out")
    corpus = Corpus.open(tmp_path / "out")
    assert report.corpus == "src" and corpus.licences == ("MIT; CC0",)
    waves = [r for r in corpus.records if r.labels["action"] == "wave" and r.mirror_of is None and "#" not in r.id]
    assert sorted(r.captions[0] for r in waves) == ["a person raises the left hand", "a person waves"]
    assert all(55 <= r.length <= 60 for r in waves)
    assert any(r.captions[0] == "a person raises the right hand" for r in corpus.records if r.mirror_of)
    assert prepare("folder", clips, tmp_path / "out").already_done


def test_splits_never_part_a_file_and_rare_actions_are_for_training(clips):
    rows = folder.rows(clips)
    splits = folder.splits_of(rows)
    assert splits["more/wave.bvh"] == "train"
    assert len({row.origin for row in rows}) == 7
    assert splits == folder.splits_of(rows[::-1])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name\tcaptions\nx.bvh\ta\n", "no column 'file'"),
        ("file\tcaptions\tcolour\nx\ty\tz\n", "unknown column 'colour'"),
        (HEAD + "absent.bvh\t\t\ta person walks\twalk\t0\t\n", "no such file"),
        (HEAD + "../../etc/passwd\t\t\ta person walks\twalk\t0\t\n", "not inside"),
        (HEAD + "walk0.bvh\t\t\t\twalk\t0\t\n", "no caption"),
        (HEAD + "walk0.bvh\tsoon\t\ta person walks\twalk\t0\t\n", "start_s is 'soon'"),
        (HEAD + "walk0.bvh\t3\t2\ta person walks\twalk\t0\t\n", "not after"),
        (HEAD + "walk0.bvh\t\t\ta person walks\twalk\tyes\t\n", "expected 0 or 1"),
    ],
)
def test_a_bad_table_is_named_with_its_line(clips, tmp_path, text, said):
    (clips / "captions.tsv").write_text(text)
    with pytest.raises(FormatError, match=said):
        prepare("folder", clips, tmp_path / "out")


def test_a_folder_without_a_table_says_what_to_put_there(tmp_path):
    with pytest.raises(InputError, match=r"captions\.tsv"):
        prepare("folder", tmp_path, tmp_path / "out")


def test_a_loop_goes_on_from_where_it_ended_without_a_jump():
    walk = walkers.joints(0, 80, 1.0, 0.0)
    stride = walk[: 1 + int(round(20 / 1.0))] if len(walk) > 21 else walk
    three = repeated(stride, 3)
    assert len(three) == 3 * (len(stride) - 1) + 1
    speed = np.linalg.norm(np.diff(three, axis=0), axis=-1)
    inside = np.linalg.norm(np.diff(stride, axis=0), axis=-1).max()
    assert speed.max() < 2.5 * inside


def test_travel_comes_back_under_a_walk_that_was_taken_to_the_spot():
    walk = walkers.joints(0, 100, 1.2, 0.0)
    spot = walk - walk[:, :1] * [1, 0, 1]
    back = with_travel(spot)
    ways = [np.linalg.norm(j[-1, 0, [0, 2]] - j[0, 0, [0, 2]]) for j in (walk, back, spot)]
    assert ways[2] < 0.01 and ways[1] == pytest.approx(ways[0], rel=0.35)
    assert unsupported(back) < unsupported(spot)


def test_whoever_hangs_in_the_air_is_timed():
    still = np.repeat(walkers.joints(2, 5, 0.0, 0.0)[:1], 60, 0)
    lifted = still.copy()
    lifted[20:50, :, 1] += 0.5
    assert longest_hover(still) == 0 and longest_hover(lifted) == pytest.approx(1.5)


def test_a_stance_a_start_and_a_stop_are_found_in_a_take():
    walk = walkers.joints(0, 60, 1.3, 0.0)
    first, last = np.repeat(walk[:1], 40, 0), np.repeat(walk[-1:], 40, 0)
    arms = {20, 21}
    take = np.concatenate([first, walk, last])
    for joint in arms:
        take[:, joint, 1] = np.minimum(take[:, joint, 1], take[:, 9, 1] - 0.2)
    found = {piece.action for piece in pieces(take)}
    assert {"stand", "start", "stop"} <= found
