"""AIST++'s layout, on files made here and on the sample beside the checkout; pickles that call things are refused."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from laban.data.corpora import aist
from laban.data.synthesis import tracks
from laban.errors import FormatError, InputError
from laban.io import audio

NAME = "gHO_sFM_cAll_d20_mHO2_ch11"
SAMPLE = Path("../shared/data/reference/aist/gBR_sBM_cAll_d04_mBR0_ch01.pkl")


def sequence(frames: int = 90, scaling: float = 93.78) -> dict:
    rng = np.random.default_rng(0)
    poses = np.cumsum(rng.normal(0, 0.01, (frames, 72)), axis=0).astype(np.float32)
    trans = (np.array([10.0, 90.0, 5.0]) + np.cumsum(rng.normal(0, 0.2, (frames, 3)), axis=0)).astype(np.float32)
    return {"smpl_poses": poses, "smpl_trans": trans, "smpl_scaling": np.array([scaling], np.float32),
            "smpl_loss": 1.5}  # fmt: skip


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    (tmp_path / "motions").mkdir()
    (tmp_path / "splits").mkdir()
    (tmp_path / "wav").mkdir()
    for name in (NAME, "gBR_sBM_cAll_d04_mBR0_ch01", "gBR_sBM_cAll_d04_mBR0_ch02"):
        with (tmp_path / "motions" / f"{name}.pkl").open("wb") as file:
            pickle.dump(sequence(), file, protocol=2 if name == NAME else 4)
    (tmp_path / "ignore_list.txt").write_text("gBR_sBM_cAll_d04_mBR0_ch02\n")
    (tmp_path / "splits" / "crossmodal_train.txt").write_text(f"{NAME}\ngBR_sBM_cAll_d04_mBR0_ch02\ngone\n")
    (tmp_path / "splits" / "crossmodal_val.txt").write_text("")
    (tmp_path / "splits" / "crossmodal_test.txt").write_text("gBR_sBM_cAll_d04_mBR0_ch01\n")
    track = tracks.synthesise("house", 120.0, 3.0)
    audio.write(track.samples, tracks.RATE, tmp_path / "wav" / "mHO2.wav")
    return tmp_path


def test_names_hold_genre_and_tempo() -> None:
    name = aist.parse(NAME)
    assert (name.genre, name.situation, name.dancer, name.music) == ("gHO", "sFM", "d20", "mHO2")
    assert name.bpm == 120.0 and aist.parse("gBR_sBM_cAll_d04_mBR3_ch01").bpm == 110.0
    assert aist.GENRES[name.genre] == "house" and aist.SITUATIONS[name.situation] == "advanced"
    with pytest.raises(FormatError, match="no name"):
        aist.parse("walk_01")


def test_the_layout_is_read(copy: Path) -> None:
    data = aist.Aist(copy)
    assert data.names("train") == [NAME]  # ignored and absent ones are left out
    assert data.names("test") == data.names("testval") == ["gBR_sBM_cAll_d04_mBR0_ch01"]
    dance = data.dance(NAME)
    assert dance.motion.frames == 90 and dance.motion.fps == 60.0 and dance.motion.skeleton.name == "smpl24"
    assert dance.features.shape == (181, 35)
    held = sequence()
    assert dance.motion.root == pytest.approx(held["smpl_trans"] / np.float64(np.float32(93.78)))
    assert dance.motion.segments[0].text == "house, advanced"
    with pytest.raises(InputError, match=r"mBR0\.wav"):
        data.song("gBR_sBM_cAll_d04_mBR0_ch01")
    with pytest.raises(InputError, match="expected one of train"):
        data.names("training")
    with pytest.raises(InputError, match="motions"):
        aist.Aist(copy / "wav")


class Calls:
    def __reduce__(self):
        return print, ("called",)


class Compressed:
    def __reduce__(self):
        import _codecs

        return _codecs.encode, ("x", "zip")


@pytest.mark.parametrize("bad", [Calls(), {"smpl_poses": Calls()}, Compressed(), [1, 2], {"a": np.array([{}, None])}])
def test_pickles_that_hold_anything_but_arrays_are_refused(bad: object, tmp_path: Path, capsys) -> None:
    path = tmp_path / f"{NAME}.pkl"
    path.write_bytes(pickle.dumps(bad))
    with pytest.raises(FormatError, match="no pickle of plain arrays"):
        aist.read_motion(path)
    assert capsys.readouterr().out == ""


def test_damaged_motions_are_format_errors(tmp_path: Path) -> None:
    path = tmp_path / f"{NAME}.pkl"
    whole = pickle.dumps(sequence(), protocol=4)
    for raw in (whole[: len(whole) // 2], b"", b"\x80\x04."):
        path.write_bytes(raw)
        with pytest.raises(FormatError):
            aist.read_motion(path)
    for change in ({"smpl_poses": np.zeros((5, 71))}, {"smpl_trans": np.zeros((3, 3))},
                   {"smpl_poses": np.full((90, 72), np.nan)}, {"smpl_scaling": np.zeros(1)}):  # fmt: skip
        path.write_bytes(pickle.dumps({**sequence(), **change}))
        with pytest.raises(FormatError):
            aist.read_motion(path)
    with pytest.raises(InputError, match="no such file"):
        aist.read_motion(tmp_path / "absent.pkl")


def test_the_sample_of_the_dataset() -> None:
    if not SAMPLE.is_file():
        pytest.skip("the AIST++ sample is not beside the checkout")
    motion = aist.read_motion(SAMPLE)
    with np.load(SAMPLE.with_suffix(".npz")) as held:
        trans = held["smpl_trans"] / held["smpl_scaling"]
    assert motion.frames == 720 and np.abs(motion.root - trans).max() < 1e-5
    assert 1.7 < motion.root[:, 1].min() < motion.root[:, 1].max() < 2.0  # raw: no floor is found
    assert motion.segments[0].text == "break, basic"
