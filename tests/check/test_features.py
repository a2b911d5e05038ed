"""`check features`: passes on right values, fails on one wrong one, an unknown name, and nothing to compare."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from laban.check.compare import compare
from laban.check.features import check_features
from laban.errors import CheckFailed, FormatError, LabanError
from laban.motion import humanml

GOLDEN = Path(__file__).parents[3] / "shared" / "golden" / "humanml3d-features"
FIXTURES = Path(__file__).parents[1] / "fixtures"
FILES = [FIXTURES / "features_humanml3d.npz", FIXTURES / "features_kit.npz"]
both = pytest.mark.parametrize("file", FILES, ids=["humanml3d", "kit"])


def load(file: Path) -> dict[str, np.ndarray]:
    with np.load(file) as arrays:
        return dict(arrays)


def save(folder: Path, arrays: dict[str, np.ndarray]) -> Path:
    path = folder / "values.npz"
    np.savez(path, **arrays)
    return path


@both
def test_passes_and_names_every_array(file):
    report = check_features(file)
    assert report.ok and not report.absent
    assert {row.name for row in report.rows} == {n for n in load(file) if n not in ("a_joints", "b_joints")}
    text = str(report)
    assert "a_features" in text and "largest error" in text and text.count("ok") == len(report.rows)


@pytest.mark.parametrize("name", ["expected.npz", "expected_kit.npz"])
def test_passes_on_the_released_values(name):
    if not GOLDEN.exists():
        pytest.skip(f"no expected values at {GOLDEN}")
    report = check_features(GOLDEN / name)
    assert report.ok
    assert ("a_recover_from_rotations" in report.absent) is ("kit" in name)


@both
@pytest.mark.parametrize(
    "name",
    ["a_joints", "a_canonical_joints", "a_features", "a_recover_from_positions", "a_recover_from_rotations",
     "b_features", "target_bone_offsets"],
)  # fmt: skip
def test_fails_when_one_value_is_off_by_one_percent(file, name, tmp_path):
    arrays = load(file)
    rng = np.random.default_rng(0)
    unit = 1.0 if "humanml3d" in file.name else 1000.0
    candidates = np.argwhere(abs(arrays[name]) > 0.05 * unit)
    for index in candidates[rng.choice(len(candidates), min(3, len(candidates)), replace=False)]:
        changed = {**arrays, name: arrays[name].copy()}
        changed[name][tuple(index)] *= 1.01
        with pytest.raises(CheckFailed, match="beyond tolerance"):
            check_features(save(tmp_path, changed))


@both
def test_fails_on_a_contact_that_flipped_and_on_nan(file, tmp_path):
    arrays = load(file)
    for value in (1 - arrays["a_features"][3, -2], np.nan, np.inf):
        changed = {**arrays, "a_features": arrays["a_features"].copy()}
        changed["a_features"][3, -2] = value
        with pytest.raises(CheckFailed, match="a_features"):
            check_features(save(tmp_path, changed))


@pytest.mark.parametrize("name", ["a_feature", "other", "a_latent", "_joints", "mean"])
def test_fails_on_an_unknown_array(name, tmp_path):
    with pytest.raises(CheckFailed, match=f"unknown arrays {name}"):
        check_features(save(tmp_path, {**load(FILES[0]), name: np.zeros((3, 22, 3), np.float32)}))


@pytest.mark.parametrize("keep", [[], ["a_joints"], ["a_features"], ["a_joints", "b_joints"],
                                  ["a_recover_from_positions"]])  # fmt: skip
def test_fails_when_nothing_can_be_compared(keep, tmp_path):
    arrays = load(FILES[0])
    with pytest.raises(CheckFailed, match="nothing could be compared"):
        check_features(save(tmp_path, {name: arrays[name] for name in keep}))


def test_compares_what_is_there_and_names_what_is_not(tmp_path):
    arrays = load(FILES[0])
    report = check_features(save(tmp_path, {n: arrays[n] for n in ("a_joints", "a_features")}))
    assert [row.name for row in report.rows] == ["a_features"]
    assert set(report.absent) == {
        "target_bone_offsets", "a_canonical_joints", "a_recover_from_positions", "a_recover_from_rotations",
    }  # fmt: skip
    report = check_features(save(tmp_path, {n: arrays[n] for n in ("b_features", "b_recover_from_positions")}))
    assert [row.name for row in report.rows] == ["b_recover_from_positions"]


def test_letters_of_clips_are_free(tmp_path):
    arrays = {n.replace("a_", "left_turn_", 1) if n.startswith("a_") else n: v for n, v in load(FILES[0]).items()}
    report = check_features(save(tmp_path, arrays))
    assert "left_turn_features" in {row.name for row in report.rows}


def test_clips_fitted_to_another_skeleton(tmp_path):
    """Its offsets need not be the built-in ones, but must be those of its canonical joints."""
    source = load(FILES[0])
    offsets = humanml.HUMANML.offsets * 1.1
    canonical = humanml.canonical(source["a_joints"], offsets=offsets)
    arrays = {
        "target_bone_offsets": offsets, "a_joints": source["a_joints"], "a_canonical_joints": canonical,
        "a_features": humanml.features_of(canonical),
    }  # fmt: skip
    assert check_features(save(tmp_path, arrays)).ok
    wrong = offsets.copy()
    wrong[18] *= 1.01
    with pytest.raises(CheckFailed, match="target_bone_offsets"):
        check_features(save(tmp_path, {**arrays, "target_bone_offsets": wrong}))


@pytest.mark.parametrize(
    "arrays",
    [
        {"a_joints": np.zeros((5, 24, 3))},
        {"a_joints": np.zeros((22, 3))},
        {"a_joints": np.zeros((1, 22, 3)), "a_features": np.zeros((0, 263))},
        {"a_joints": np.zeros((5, 22, 3)), "a_features": np.zeros((4, 251))},
        {"a_joints": np.zeros((5, 22, 3)), "target_bone_offsets": np.zeros((21, 3))},
        {"a_joints": np.array(["x"])},
        {"a_joints": np.array([{}], dtype=object)},
    ],
    ids=["24 joints", "no time", "one frame", "mixed", "offsets", "text", "pickle"],
)
def test_refuses_impossible_arrays(arrays, tmp_path):
    path = tmp_path / "values.npz"
    np.savez(path, allow_pickle=True, **arrays)
    with pytest.raises(FormatError, match=r"values\.npz"):
        check_features(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"\x93NUMPY", b"text"])
def test_refuses_files_that_are_no_archive(content, tmp_path):
    path = tmp_path / "values.npz"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"values\.npz"):
        check_features(path)
    with pytest.raises(LabanError):
        check_features(tmp_path / "missing.npz")
    np.save(tmp_path / "single.npy", np.zeros(3))
    with pytest.raises(FormatError):
        check_features(tmp_path / "single.npy")


def test_exit_code_is_one():
    assert CheckFailed.exit_code == 1


class TestCompare:
    def test_reports_the_largest_error_against_its_own_tolerance(self):
        row = compare("x", np.array([1.0, 100.5]), np.array([1.001, 100.0]), 1e-4, 1e-2)
        assert row.error == pytest.approx(0.5) and row.ok
        assert not compare("x", np.array([1.0, 100.5]), np.array([1.5, 100.0]), 1e-4, 1e-2).ok

    def test_shapes_and_non_finite_values(self):
        assert not compare("x", np.zeros(3), np.zeros(4), 1.0).ok
        assert not compare("x", np.array([np.nan]), np.zeros(1), 1.0).ok
        assert not compare("x", np.zeros(1), np.array([np.inf]), 1.0).ok
        assert compare("x", np.array([np.inf]), np.array([np.inf]), 1.0).ok
