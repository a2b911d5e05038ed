"""Released MoMask folders: import, check, export; what is damaged, missing or hostile."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

import released_folder

import laban
from laban import cli
from laban.check.momask import check_momask
from laban.errors import LabanError
from laban.systems.momask.condition import HashedText
from laban.systems.momask.released.importer import export_released, import_released
from laban.systems.requests import TextRequest

GOLDEN = Path(__file__).parents[3] / "shared" / "golden" / "momask-t2m"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """KIT's width, other sizes, layers and quantizers, by the plain implementation."""
    folder = tmp_path_factory.mktemp("kit")
    released_folder.write(folder)
    return folder


@pytest.fixture
def folder(made, tmp_path) -> Path:
    shutil.copytree(made, tmp_path / "kit")
    return tmp_path / "kit"


def tree(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.mark.skipif(not GOLDEN.exists(), reason="needs the project's own data, ../shared/golden/momask-t2m")
def test_the_released_codes_outputs(tmp_path, capsys) -> None:
    assert cli.main(["check", "momask", str(GOLDEN)]) == 0
    said = capsys.readouterr().out
    assert said.count(" ok") == 17 and "OFF" not in said and "absent" not in said
    assert cli.main(["import-weights", "momask", str(GOLDEN / "checkpoints/t2m"), str(tmp_path / "out")]) == 0
    assert laban.load(tmp_path / "out").config.tokenizer.codes == 32


def test_another_size_by_another_implementation(made, capsys) -> None:
    report = check_momask(made)
    assert {row.name for row in report.rows} >= {"codes", "greedy_base_T7_s3.5", "greedy_edit_T7_s2", "length_logits"}
    assert "masked_logits_uncond" in report.absent and "manifest.json" in report.absent
    assert cli.main(["check", "momask", str(made), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ok"]


def test_import_export_import(made, folder, tmp_path, capsys) -> None:
    out = tmp_path / "laban"
    assert cli.main(["import-weights", "momask", str(made / "checkpoints"), str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["layout"] == "kit"
    system = laban.load(out)
    assert system.config.fps == 12.5 and system.config.sampling.guidance == 2.0 and system.config.max_tokens == 13
    system.text_encoder = HashedText(30)
    motion = system.generate([TextRequest("a person walks", 2.0)], seed=1)[0]
    assert motion.frames == 25 and np.isfinite(motion.joints()).all()

    shutil.rmtree(folder / "checkpoints")
    export_released(system, folder / "checkpoints" / "kit")
    check_momask(folder)
    back = import_released(folder)
    assert back.config == system.config
    for stage in system.stages():
        a, b = system.module(stage).state_dict(), back.module(stage).state_dict()
        assert a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)
    assert torch.equal(back.std, system.std)


@pytest.mark.parametrize("name", ["codes", "reconstruction", "reconstruction_with_dropped", "masked_logits_cond",
    "masked_logits_cfg3.5", "residual_logits_q2_cfg2", "greedy_base_T7_s3.5", "greedy_edit_T7_s2",
    "greedy_all_codes_T7_s3.5_r2", "decoded_T7_s3.5_r2", "denormalised_T7_s3.5_r2", "length_logits"])  # fmt: skip
def test_one_output_off_by_a_hundredth(folder, name, capsys) -> None:
    arrays = dict(np.load(folder / "expected.npz"))
    arrays[name] = arrays[name] * 1.01
    np.savez(folder / "expected.npz", **arrays)
    assert cli.main(["check", "momask", str(folder)]) == 1
    assert name in capsys.readouterr().err.splitlines()[0]


@pytest.mark.parametrize(("part", "tensor"), [
    ("vq", "encoder.model.0.weight"), ("vq", "quantizer.layers.1.codebook"), ("vq", "decoder.model.6.bias"),
    ("masked", "seqTransEncoder.layers.2.linear1.weight"), ("residual", "output_proj_weight_"),
    ("residual", "quant_emb.bias"), ("length", "output.9.bias"),
])  # fmt: skip
def test_one_weight_changed(folder, part, tensor) -> None:
    file, key = released_folder.FILES[part]
    path = folder / "checkpoints" / "kit" / released_folder.NAMES[part] / file
    held = torch.load(path, weights_only=True)
    used = int(np.load(folder / "expected.npz")["codes"][0, 0, 1]) if "codebook" in tensor else 0
    held[key][tensor][used].view(-1)[0] += 3.0 if part == "vq" else 0.5  # of the encoder only codes are seen
    torch.save(held, path)
    assert cli.main(["check", "momask", str(folder)]) == 1


def test_nothing_to_compare(tmp_path, folder, capsys) -> None:
    (tmp_path / "empty").mkdir()
    assert cli.main(["check", "momask", str(tmp_path / "empty")]) == 1
    assert cli.main(["check", "momask", str(tmp_path / "absent")]) == 2
    np.savez(folder / "expected.npz", text=np.zeros((1, 30), np.float32))
    assert cli.main(["check", "momask", str(folder)]) == 1
    np.savez(folder / "expected.npz", wrong=np.zeros(3))
    assert cli.main(["check", "momask", str(folder)]) == 1
    assert "unknown arrays wrong" in capsys.readouterr().err


class Bad:
    def __reduce__(self):
        return (os.system, ("touch called",))


def damage(root: Path, how: str) -> None:
    """Harm the folder checkpoints/kit."""
    vq, masked = root / "rvq_k", root / "mask_k"

    def line(path: Path, old: str, new: str) -> None:
        text = (path / "opt.txt").read_text()
        assert old in text
        (path / "opt.txt").write_text(text.replace(old, new))

    if how == "hostile":
        torch.save({"vq_model": {"encoder.model.0.weight": Bad()}}, vq / "model/net_best_fid.tar")
    elif how == "hostile, plain pickle":
        (masked / "model/latest.tar").write_bytes(pickle.dumps({"t2m_transformer": Bad()}))
    elif how == "shape":
        line(vq, "width: 20", "width: 24")
    elif how == "unknown key":
        line(masked, "ff_size", "rotary_size")
    elif how == "extra key":
        line(masked, "is_train: True", "is_train: True\nuse_rotary: True")
    elif how == "norm":
        line(vq, "vq_norm: None", "vq_norm: LN")
    elif how == "word for a number":
        line(vq, "down_t: 2", "down_t: two")
    elif how == "not a line":
        line(vq, "down_t: 2", "down_t 2")
    elif how == "no share":
        line(root / "res_k", "share_weight: True", "share_weight: False")
    elif how == "data sets":
        line(vq, "dataset_name: kit", "dataset_name: t2m")
    elif how == "heads":
        line(masked, "n_heads: 3", "n_heads: 5")
    elif how == "not a number":
        state = torch.load(vq / "model/net_best_fid.tar", weights_only=True)
        state["vq_model"]["encoder.model.0.bias"][3] = float("nan")
        torch.save(state, vq / "model/net_best_fid.tar")
    elif how == "left over":
        state = torch.load(masked / "model/latest.tar", weights_only=True)
        state["t2m_transformer"]["gate.weight"] = torch.zeros(3)
        torch.save(state, masked / "model/latest.tar")
    elif how == "no key":
        torch.save({"opt": {}}, root / "length_estimator/model/finest.tar")
    elif how == "positions":
        state = torch.load(masked / "model/latest.tar", weights_only=True)
        state["t2m_transformer"]["position_enc.pe"] += 0.01
        torch.save(state, masked / "model/latest.tar")
    elif how == "statistics":
        np.save(vq / "meta/std.npy", np.zeros(251, np.float32))
    elif how == "pickled statistics":
        np.save(vq / "meta/mean.npy", np.array([Bad()], object), allow_pickle=True)
    else:
        (root / how).unlink()


@pytest.mark.parametrize(("how", "words"), [
    ("hostile", "refused"), ("hostile, plain pickle", "refused"), ("shape", "shape"), ("unknown key", "rotary_size"),
    ("extra key", "use_rotary"), ("norm", "vq_norm"), ("word for a number", "down_t"), ("not a line", "down_t 2"),
    ("no share", "share_weight"), ("data sets", "dataset_name"), ("heads", "n_heads"), ("not a number", "NaN"),
    ("left over", "gate.weight"), ("no key", "estimator"), ("positions", "position_enc.pe"), ("statistics", "std.npy"),
    ("pickled statistics", "mean.npy"), ("rvq_k/opt.txt", "rvq_k/opt.txt"), ("mask_k/opt.txt", "mask"),
    ("rvq_k/meta/std.npy", "std.npy"), ("rvq_k/model/net_best_fid.tar", "net_best_fid.tar"),
    ("mask_k/model/latest.tar", "latest.tar"), ("res_k/model/net_best_fid.tar", "res_k"),
    ("length_estimator/model/finest.tar", "finest.tar"),
])  # fmt: skip
def test_bad_folders(folder, how, words, capsys, monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    damage(folder / "checkpoints" / "kit", how)
    before = tree(tmp_path)
    assert cli.main(["import-weights", "momask", str(folder / "checkpoints/kit"), str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("laban: error: ") and said.count("\n") == 1 and words in said
    assert tree(tmp_path) == before  # nothing written, and `touch called` did not run


def test_a_key_that_changes_nothing_can_be_named(folder, tmp_path) -> None:
    damage(folder / "checkpoints" / "kit", "extra key")
    argv = ["import-weights", "momask", str(folder / "checkpoints/kit"), str(tmp_path / "out")]
    assert cli.main([*argv, "--ignore-option", "use_rotary", "--quiet"]) == 0
    assert cli.main([*argv, "--ignore-option", "use_rotary"]) == 2  # it is there now


def test_several_could_be_meant(folder) -> None:
    root = folder / "checkpoints" / "kit"
    shutil.copytree(root / "mask_k", root / "mask_z")
    with pytest.raises(LabanError, match="mask_k, mask_z"):
        import_released(root)
    import_released(root, {"masked": "mask_z"})
    with pytest.raises(LabanError, match="plain name"):
        import_released(root, {"masked": "../mask_k"})
