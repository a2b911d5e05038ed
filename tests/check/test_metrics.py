"""`check metrics` and `check evaluator`: right values pass; one wrong value, an unknown name, nothing: exit 1."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from laban.check.evaluator import check_evaluator
from laban.check.metrics import check_metrics
from laban.cli import main
from laban.errors import CheckFailed, FormatError, LabanError
from laban.metrics import dance, embedding, frechet
from laban.metrics.geometric import geometric
from laban.metrics.kinetic import kinetic
from laban.systems.evaluator.released import MovementEncoder, SequenceEncoder, T2MEvaluator

GOLDEN = Path(__file__).parents[3] / "shared" / "golden"


def values() -> dict[str, np.ndarray]:
    """A file of every group with other letters, seeds and sizes than the released ones."""
    rng = np.random.default_rng(1)
    text, real = rng.normal(size=(70, 6)), rng.normal(size=(50, 6))
    motion, many = text + rng.normal(size=(70, 6)), rng.normal(size=(4, 8, 6))
    joints = rng.normal(scale=0.4, size=(1, 24, 3)) + np.cumsum(rng.normal(scale=0.02, size=(30, 24, 3)), 0)
    a, b = rng.normal(size=(20, 5)), rng.normal(1.0, 2.0, size=(15, 5))
    beats, music = np.array([3, 9, 30]), np.array([4, 20])
    made = {
        "text_embeddings": text, "motion_embeddings": motion, "real_embeddings": real,
        "multimodality_embeddings": many, "long_name_joints": joints, "fid_real_features": a,
        "fid_generated_features": b, "kinematic_beats": beats, "music_beats": music, "fps": 60, "sigma_frames": 3,
        "r_precision_top123": embedding.r_precision(text, motion),
        "multimodal_distance": np.linalg.norm(text[:64] - motion[:64], axis=1).mean(),
        "fid_real_vs_motion": frechet.frechet(real, motion),
        "diversity_seed9_40": embedding.diversity(motion, 40, 9),
        "multimodality_seed2_5": embedding.multimodality(many, 5, 2),
        "long_name_kinetic": kinetic(joints), "long_name_geometric": geometric(joints),
        "fid_normalised_by_real": dance.feature_frechet(a, b, "compat"),
        "score_over_kinematic_beats": dance.beat_alignment(beats, music),
        "score_over_music_beats": dance.beat_alignment(beats, music, "music"),
    }  # fmt: skip
    return {name: np.asarray(array) for name, array in made.items()}


def save(folder: Path, arrays: dict[str, np.ndarray], name: str = "values.npz") -> Path:
    np.savez(folder / name, **arrays)
    return folder / name


OUTPUTS = [n for n in values() if re.search("top|distance|fid_real_vs|seed|kinetic|geometric|normalised|score", n)]


@pytest.mark.parametrize("name", ["t2m_metrics", "dance_metrics", "beat_alignment"])
def test_released_values(name):
    if not GOLDEN.exists():
        pytest.skip(f"no expected values at {GOLDEN}")
    assert check_metrics(GOLDEN / "metrics" / f"{name}.npz").ok


def test_every_group_passes(tmp_path):
    report = check_metrics(save(tmp_path, values()))
    assert {row.name for row in report.rows} == set(OUTPUTS) and not report.absent


@pytest.mark.parametrize("name", OUTPUTS)
def test_one_wrong_value_fails(name, tmp_path):
    arrays = values()
    array = arrays[name].astype(np.float64)
    array.flat[array.size // 2] += 1e-4 * (1 + abs(array.flat[array.size // 2]))
    with pytest.raises(CheckFailed, match=f"beyond tolerance: {name}"):
        check_metrics(save(tmp_path, {**arrays, name: array}))


@pytest.mark.parametrize("name", ["diversity_seed9", "kinetic", "r_precision", "fid", "a_kinetics", "seed"])
def test_an_unknown_name_fails(name, tmp_path):
    with pytest.raises(CheckFailed, match=f"unknown arrays {name}"):
        check_metrics(save(tmp_path, {**values(), name: np.zeros(3)}))


@pytest.mark.parametrize("keep", [[], ["text_embeddings"], ["a_kinetic"], ["fps", "music_beats"]])
def test_nothing_to_compare_fails(keep, tmp_path):
    arrays = {**values(), "a_kinetic": np.zeros(72)}
    with pytest.raises(CheckFailed, match="nothing could be compared"):
        check_metrics(save(tmp_path, {name: arrays[name] for name in keep}))


def test_inputs_that_cannot_be_scored_are_one_error(tmp_path):
    for change in ({"motion_embeddings": np.full((70, 6), np.nan)}, {"long_name_joints": np.zeros((5, 22, 3))}):
        with pytest.raises(FormatError, match="cannot be computed"):
            check_metrics(save(tmp_path, {**values(), **change}))


def test_absent_groups_are_named(tmp_path):
    arrays = {n: v for n, v in values().items() if "beats" in n or n in ("fps", "long_name_joints")}
    report = check_metrics(save(tmp_path, arrays))
    assert len(report.rows) == 2 and {"long_name_kinetic", "fid_real_vs_motion"} <= set(report.absent)


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    movement = MovementEncoder(259, 8, 6)
    motion, text = SequenceEncoder(6, 7, 9, 5), SequenceEncoder(4, 7, 9, 5, 15)
    parts = {"movement_encoder": movement, "motion_encoder": motion, "text_encoder": text}
    torch.save({**{k: m.state_dict() for k, m in parts.items()}, "epoch": 3}, tmp_path / "finest.tar")
    evaluator = T2MEvaluator(movement, motion, text)
    features, lengths = torch.randn(3, 24, 263), torch.tensor([16, 24, 20])
    words, said = torch.randn(3, 6, 4), torch.tensor([2, 6, 1])
    classes = torch.eye(15)[torch.arange(18).reshape(3, 6) % 15]
    arrays = {
        "motions": features, "lengths": lengths, "word_embeddings": words, "pos_onehot": classes,
        "caption_lengths": said, "released_output_order": torch.tensor([1, 2, 0]),
        "motion_embedding_in_input_order": evaluator.embed_motions(features, lengths),
        "text_embedding_in_input_order": evaluator.embed_texts(words, classes, said),
    }  # fmt: skip
    save(tmp_path, {k: v.numpy() for k, v in arrays.items()}, "expected.npz")
    return tmp_path


def test_released_evaluator():
    if not GOLDEN.exists():
        pytest.skip(f"no expected values at {GOLDEN}")
    report = check_evaluator(GOLDEN / "t2m-evaluator")
    assert len(report.rows) == 3 and not report.absent


def test_evaluator_passes_and_fails_on_one_wrong_value(folder, capsys):
    assert main(["check", "evaluator", str(folder)]) == 0
    good = dict(np.load(folder / "expected.npz"))
    for name in ("motion_embedding_in_input_order", "text_embedding_in_input_order", "released_output_order"):
        bad = good[name].copy()
        bad.flat[1] += 1
        save(folder, {**good, name: bad}, "expected.npz")
        assert main(["check", "evaluator", str(folder)]) == 1
        assert name in capsys.readouterr().err
    save(folder, {**good, "other": np.zeros(2)}, "expected.npz")
    assert main(["check", "evaluator", str(folder)]) == 1
    save(folder, {"motions": good["motions"]}, "expected.npz")
    assert main(["check", "evaluator", str(folder)]) == 1


def test_evaluator_does_not_depend_on_the_batch(folder):
    """Order and company do not matter; padding is beyond the end, so only the edge sees it."""
    evaluator, good = T2MEvaluator.load(folder / "finest.tar"), dict(np.load(folder / "expected.npz"))
    features, lengths = torch.from_numpy(good["motions"]), torch.from_numpy(good["lengths"])
    one = evaluator.embed_motions(features[[2, 0]], lengths[[2, 0]])
    np.testing.assert_allclose(one, good["motion_embedding_in_input_order"][[2, 0]], atol=1e-6)


class Bad:
    def __reduce__(self):
        return (print, ("called",))


@pytest.mark.parametrize("held", [{"movement_encoder": Bad()}, {"movement_encoder": {}}, [1], {"text_encoder": 1}])
def test_hostile_or_wrong_checkpoints(folder, held, capsys):
    torch.save(held, folder / "finest.tar")
    with pytest.raises(LabanError, match=r"finest\.tar"):
        T2MEvaluator.load(folder / "finest.tar")
    (folder / "finest.tar").write_bytes(b"nothing")
    assert main(["check", "evaluator", str(folder)]) == 2
    assert "called" not in capsys.readouterr().out
