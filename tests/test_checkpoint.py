"""Checkpoint folders: what is written comes back, what is damaged is named."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from laban import checkpoint
from laban.errors import InputError, WeightsError

TENSORS = {
    "first": {
        "weight": torch.randn(5, 3, generator=torch.Generator().manual_seed(0)),
        "count": torch.arange(4),
        "flag": torch.tensor(True),
        "large": torch.tensor([1e6, 1.0]),
        "empty": torch.zeros(0, 3),
    },
    "second": {"weight": torch.ones(2, 2).t()},
}
STATS = {"mean": torch.tensor([0.1, 0.2]), "std": torch.tensor([1e-7, 1.0])}


def write(folder: Path, half: bool = False) -> Path:
    checkpoint.save(folder, {"system": "toy"}, TENSORS, STATS, "# A card\n", half=half)
    return folder


def test_full_precision_comes_back_bit_equal(tmp_path: Path) -> None:
    found = checkpoint.load(write(tmp_path / "a"))
    assert found.config["system"] == "toy" and found.config["stages"] == ["first", "second"]
    for stage, tensors in TENSORS.items():
        assert found.stages[stage].keys() == tensors.keys()
        for key, value in tensors.items():
            assert found.stages[stage][key].dtype == value.dtype
            assert torch.equal(found.stages[stage][key], value)
    assert torch.equal(found.stats["std"], STATS["std"])
    assert (tmp_path / "a" / "README.md").read_text() == "# A card\n"


def test_half_precision_keeps_integers_statistics_and_large_values(tmp_path: Path) -> None:
    found = checkpoint.load(write(tmp_path, half=True))
    weight = found.stages["first"]["weight"]
    assert weight.dtype == torch.float32
    assert torch.equal(weight, TENSORS["first"]["weight"].half().float())
    assert torch.equal(found.stages["first"]["large"], TENSORS["first"]["large"])  # 1e6 is beyond fp16
    assert torch.equal(found.stages["first"]["count"], TENSORS["first"]["count"])
    assert torch.equal(found.stats["std"], STATS["std"])  # 1e-7 would be lost in fp16
    full = write(tmp_path / "full")
    assert (tmp_path / "first.safetensors").stat().st_size < (full / "first.safetensors").stat().st_size


def test_the_hash_names_the_weights(tmp_path: Path) -> None:
    one, two = checkpoint.load(write(tmp_path / "a")), checkpoint.load(write(tmp_path / "b"))
    assert one.hash == two.hash and len(one.hash) == 64
    changed = {k: v.clone() for k, v in TENSORS["second"].items()}
    changed["weight"][0, 0] += 1e-6
    checkpoint.save_stage(tmp_path / "b", "second", changed)
    assert checkpoint.load(tmp_path / "b").hash != one.hash


@pytest.mark.parametrize("name", ["first.safetensors", "stats.safetensors", "config.json"])
@pytest.mark.parametrize("damage", ["truncate", "empty", "flip", "noise", "pickle"])
def test_damage_is_an_error_that_names_the_file(tmp_path: Path, name: str, damage: str) -> None:
    path = write(tmp_path) / name
    raw = bytearray(path.read_bytes())
    if damage == "flip":
        raw[-1] ^= 0x55  # the last value of a tensor, or the brace that closes the JSON
        if name == "config.json":
            raw[-2] ^= 0x55
    content = {
        "truncate": bytes(raw[: len(raw) // 2]),
        "empty": b"",
        "flip": bytes(raw),
        "noise": bytes(range(256)) * 4,
        "pickle": pickle.dumps({"weight": [1.0]}),
    }[damage]
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=name.split(".")[0]) as caught:
        checkpoint.load(tmp_path)
    assert "\n" not in str(caught.value)


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"config\.json: missing"):
        checkpoint.load(tmp_path)
    write(tmp_path)
    (tmp_path / "second.safetensors").unlink()
    assert list(checkpoint.load(tmp_path).stages) == ["first"]
    with pytest.raises(WeightsError, match=r"second\.safetensors: missing"):
        checkpoint.load_stage(tmp_path, "second")
    (tmp_path / "stats.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"stats\.safetensors: missing"):
        checkpoint.load(tmp_path)


def test_other_statistics_a_newer_format_and_paths_as_stages(tmp_path: Path) -> None:
    write(tmp_path)
    save_file({"mean": torch.zeros(2), "std": torch.ones(2)}, tmp_path / "stats.safetensors")
    with pytest.raises(WeightsError, match=r"stats\.safetensors is not the one"):
        checkpoint.load(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    for change, words in (({"format": 99}, "format is 99"), ({"stages": ["../x"]}, "plain names")):
        (tmp_path / "config.json").write_text(json.dumps({**config, **change}))
        with pytest.raises(WeightsError, match=words):
            checkpoint.load(tmp_path)


def test_load_into_names_the_key_and_changes_nothing_on_failure() -> None:
    module = nn.Linear(3, 2)
    before = {k: v.clone() for k, v in module.state_dict().items()}
    good = {"weight": torch.ones(2, 3), "bias": torch.ones(2)}
    for wrong, words in (
        ({"weight": good["weight"]}, "'bias' is missing"),
        ({**good, "extra": torch.ones(1)}, "'extra' is not part"),
        ({**good, "weight": torch.ones(3, 2)}, r"'weight' has shape \(3, 2\), expected \(2, 3\)"),
        ({**good, "bias": torch.ones(2, dtype=torch.int64)}, "'bias' is torch.int64"),
    ):
        with pytest.raises(WeightsError, match=words):
            checkpoint.load_into(module, wrong, "here")
        assert all(torch.equal(v, before[k]) for k, v in module.state_dict().items())
    checkpoint.load_into(module, good, "here")
    assert torch.equal(module.weight, good["weight"])


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="file"):
        write(tmp_path / "file" / "below")
