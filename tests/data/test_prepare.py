"""`laban data prepare` on small files of our own: splits, resuming, broken files, other corpora's layouts."""

import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest

from laban.data import prepare
from laban.data.corpora import bandai_namco, cmu
from laban.data.corpus import Corpus
from laban.data.synthesis import walkers
from laban.errors import FormatError, InputError
from laban.io import bvh
from laban.motion import humanml
from laban.motion.motion import Motion

NAMES = [
    "dataset-1_walk-left_active_001", "dataset-1_bow_sad_001", "dataset-2_walk_normal_005",
    "dataset-2_walk_normal_008", "dataset-2_wave-left-hand_elderly_001",
]  # fmt: skip


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A folder named as Bandai-Namco's, with motions by formula."""
    folder = tmp_path_factory.mktemp("published")
    for i, name in enumerate(NAMES):
        motion = Motion.from_joints(walkers.joints(i % 4, 70, 1.0, 0.3 * i), 20).resample(30)
        bvh.write(motion, folder / f"{name}.bvh")
    (folder / "dataset-2_run_normal_001.bvh").write_bytes(b"HIERARCHY\nROOT broken")
    (folder / "dataset-2_fly_normal_001.bvh").write_bytes((folder / f"{NAMES[1]}.bvh").read_bytes())
    return folder


def takes(folder) -> int:
    """How many clips of a prepared corpus are whole takes, not pieces cut out of them."""
    return sum("#" not in record.id for record in Corpus.open(folder).records)


def test_prepare_skips_broken_files_and_splits_by_take(published, tmp_path):
    report = prepare.prepare("bandai-namco", published, tmp_path)
    assert takes(tmp_path) == 2 * len(NAMES)
    assert set(report.skipped) == {"dataset-2_run_normal_001.bvh", "dataset-2_fly_normal_001.bvh"}
    corpus = Corpus.open(tmp_path)
    splits = {r.id: r.split for r in corpus.records}
    assert splits["dataset-1_walk-left_active_001"] == "test" and splits["dataset-1_bow_sad_001"] == "train"
    assert splits["dataset-2_walk_normal_005"] == "test" and splits["dataset-2_walk_normal_008"] == "val"
    mirrored = next(r for r in corpus.records if r.mirror_of == "dataset-1_walk-left_active_001")
    assert mirrored.labels["content"] == "walk-right" and "right" in mirrored.captions[0]
    for record in corpus.records:
        joints, features = corpus.joints(record), corpus.features(record)
        assert len(joints) == len(features) == record.length
        assert np.abs(humanml.decode(features) - joints).max() < 1e-3
        assert np.abs(joints[0, 0, [0, 2]]).max() < 1e-6
    assert prepare.prepare("bandai-namco", published, tmp_path).already_done


def test_no_take_lies_in_two_splits(published, tmp_path):
    prepare.prepare("bandai-namco", published, tmp_path)
    by_source = {}
    for record in Corpus.open(tmp_path).records:
        by_source.setdefault(record.source, set()).add(record.split)
        if record.mirror_of:
            assert record.id == f"M{record.mirror_of}"
    assert all(len(splits) == 1 for splits in by_source.values())


def test_an_interrupted_run_continues(published, tmp_path, monkeypatch):
    done = []
    original = bandai_namco.clips

    def failing(path):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(path.name)
        return original(path)

    monkeypatch.setattr(bandai_namco, "clips", failing)
    with pytest.raises(KeyboardInterrupt):
        prepare.prepare("bandai-namco", published, tmp_path)
    with pytest.raises(InputError):
        Corpus.open(tmp_path)
    again = []
    monkeypatch.setattr(bandai_namco, "clips", lambda path: again.append(path.name) or original(path))
    report = prepare.prepare("bandai-namco", published, tmp_path)
    assert takes(tmp_path) == 2 * len(NAMES) and not set(again) & (set(done) - set(report.skipped))


def test_several_processes_write_what_one_writes(published, tmp_path):
    one = prepare.prepare("bandai-namco", published, tmp_path / "one")
    two = prepare.prepare("bandai-namco", published, tmp_path / "two", prepare.Settings(workers=2))
    assert (one.clips, one.skipped) == (two.clips, two.skipped)
    files = [p.relative_to(one.folder) for p in sorted((tmp_path / "one").rglob("*")) if p.suffix == ".npy"]
    assert files
    for name in files:
        assert (tmp_path / "two" / "bandai-namco" / name).read_bytes() == (Path(one.folder) / name).read_bytes()


def test_an_archive_works_as_its_folder(published, tmp_path):
    with tarfile.open(tmp_path / "bandai-namco-1.tar.xz", "w:xz") as tar:
        tar.add(published, "dataset")
    prepare.prepare("bandai-namco", tmp_path, tmp_path / "out")
    assert takes(tmp_path / "out") == 2 * len(NAMES)


def test_an_archive_cannot_write_outside_its_folder(published, tmp_path):
    archive = tmp_path / "bandai-namco-1.tar.xz"
    with tarfile.open(archive, "w:xz") as tar:
        tar.add(next(published.rglob("*.bvh")), "../../escaped.bvh")
    with pytest.raises(FormatError, match="leads out of it"):
        prepare.prepare("bandai-namco", tmp_path, tmp_path / "out")
    assert not list(tmp_path.parent.rglob("escaped.bvh"))


def test_cmu_reads_its_table_and_leaves_out_what_is_broken(tmp_path):
    place = tmp_path / "cmu" / "bvh-60fps" / "07"
    place.mkdir(parents=True)
    for stem in ("07_01", "07_12", "08_03"):
        bvh.write(Motion.from_joints(walkers.joints(0, 80, 1.0, 0.0), 20).resample(60), place / f"{stem}.bvh")
    (tmp_path / "cmu" / "captions.tsv").write_text(
        "file\tdescription\nbvh-60fps/07/07_01.bvh\twalk\nbvh-60fps/07/07_12.bvh\tbrisk walk\n"
    )
    report = prepare.prepare("cmu", tmp_path / "cmu", tmp_path / "out")
    assert report.clips == 2 and set(report.skipped) == {"07_12.bvh", "08_03.bvh"}
    record = Corpus.open(tmp_path / "out").records[0]
    assert record.captions[0] == "a person walks" and record.length < 80 - 1  # the faded T-pose is gone
    assert cmu.split_of("07_01") == cmu.split_of("07_01")


def test_humanml3d_folder(tmp_path):
    src = tmp_path / "HumanML3D"
    (src / "new_joint_vecs").mkdir(parents=True)
    (src / "texts").mkdir()
    for name in ("000001", "M000001", "000002", "000003"):
        np.save(src / "new_joint_vecs" / f"{name}.npy", humanml.encode(walkers.joints(0, 81, 1.0, 0.0)))
        (src / "texts" / f"{name}.txt").write_text("a man walks.#a/DET man/NOUN#0.0#0.0\nhe stops#he/PRON#1.0#3.0\n")
    np.save(src / "new_joint_vecs" / "000003.npy", np.full((80, 263), np.nan, np.float32))
    (src / "train.txt").write_text("000001\nM000001\n000003\nabsent\n")
    (src / "test.txt").write_text("000002\n")
    report = prepare.prepare("humanml3d", src, tmp_path / "out")
    corpus = Corpus.open(tmp_path / "out")
    assert report.clips == 6 and "000003.npy" in report.skipped
    part = next(r for r in corpus.records if r.id == "000001@1-3")
    assert part.length == 40 and part.captions == ("he stops",)
    assert {r.split for r in corpus.records if r.source == "000002"} == {"test"}


def test_bad_input_is_named(tmp_path):
    with pytest.raises(InputError, match="unknown corpus"):
        prepare.prepare("aist", tmp_path, tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        prepare.prepare("cmu", tmp_path / "absent", tmp_path)
    (tmp_path / "src").mkdir()
    with pytest.raises(InputError, match="neither BVH files nor an archive"):
        prepare.prepare("cmu", tmp_path / "src", tmp_path / "out")
    (tmp_path / "src" / "cmu.tar.xz").write_bytes(b"not an archive")
    with pytest.raises(FormatError, match="not a readable archive"):
        prepare.prepare("cmu", tmp_path / "src", tmp_path / "out")


def test_a_damaged_corpus_is_refused(tmp_path):
    walkers.write(tmp_path, clips=8)
    shutil.copytree(tmp_path / "synthetic", tmp_path / "copy")
    index = json.loads((tmp_path / "copy" / "index.json").read_text())
    index["records"][-1]["length"] += 1000
    (tmp_path / "copy" / "index.json").write_text(json.dumps(index))
    with pytest.raises(FormatError, match="rows"):
        Corpus.open(tmp_path / "copy")
    stats = (tmp_path / "copy" / "stats.npz").read_bytes()
    for content in (b"", stats[:100], b"x" * len(stats)):
        (tmp_path / "copy" / "stats.npz").write_bytes(content)
        with pytest.raises(FormatError, match="damaged"):
            Corpus.open(tmp_path / "copy")
    (tmp_path / "copy" / "features.npy").write_bytes(b"x")
    with pytest.raises(FormatError, match="damaged"):
        Corpus.open(tmp_path / "copy")
