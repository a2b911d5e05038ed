"""The files of a released MoMask folder: which is which, and tensors out of them without running anything.

    <folder>/<vq>/opt.txt  model/net_best_fid.tar (vq_model or net)  meta/{mean,std}.npy
    <folder>/<masked>/opt.txt  model/latest.tar (t2m_transformer or trans)
    <folder>/<residual>/opt.txt  model/net_best_fid.tar (res_transformer)
    <folder>/length_estimator/model/finest.tar (estimator)

<folder> is what the release calls checkpoints/t2m or checkpoints/kit. The `.tar` files are what torch.save writes.
They are read by `laban.io.torch_archives`, which runs nothing of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from laban.errors import FormatError, InputError, WeightsError
from laban.io.torch_archives import load_restricted, read_vector, state_of
from laban.systems.momask.released.options import ReleasedOptions, read_options

KEYS = {
    "tokenizer": ("vq_model", "net"),
    "masked": ("t2m_transformer", "trans"),
    "residual": ("res_transformer",),
    "length": ("estimator",),
}
FILES = {
    "tokenizer": "model/net_best_fid.tar",
    "masked": "model/latest.tar",
    "residual": "model/net_best_fid.tar",
    "length": "model/finest.tar",
}
LENGTH = "length_estimator"


@dataclass(frozen=True)
class ReleasedFiles:
    """Where everything is: stage -> folder, and the options of the three that have some."""

    root: Path
    folders: dict[str, Path]
    options: dict[str, ReleasedOptions]

    def weights(self, stage: str) -> Path:
        """The .tar file of a stage."""
        return self.folders[stage] / FILES[stage]

    def statistics(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation (W,) that the features were normalised with."""
        meta = self.folders["tokenizer"] / "meta"
        return read_vector(meta / "mean.npy"), read_vector(meta / "std.npy")


def locate(
    folder: Path, names: Mapping[str, str] | None = None, ignore: Iterable[str] = (), optional: Iterable[str] = ()
) -> ReleasedFiles:
    """Find the parts.

    Args:
        folder: checkpoints/t2m or checkpoints/kit, or a folder above that holds only one of them.
        names: stage ("tokenizer", "masked", "residual") -> folder name, where there are several.
        ignore: unknown keys to pass over in opt.txt.
        optional: stages that may be absent; only "length" can.
    Raises: InputError if `folder` is no folder, or several parts could be meant; WeightsError naming every file that
        is missing; FormatError for unreadable options.
    """
    names, ignore = dict(names or {}), tuple(ignore)
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; give the released checkpoints/t2m or checkpoints/kit.")
    root = _root(folder)
    folders = {}
    if "length" not in optional or (root / LENGTH).exists():
        folders["length"] = root / LENGTH
    for stage, name in names.items():
        folders[stage] = root / _plain(name, f"--{stage}")
    missing: list[str] = []
    found = _transformers(root, missing) if not {"masked", "residual"} <= set(folders) else {}
    for stage in ("masked", "residual"):
        if stage in folders:
            continue
        candidates = found.get(stage, [])
        if len(candidates) > 1:
            several = ", ".join(path.name for path in candidates)
            raise InputError(f"{root}: several folders hold a {stage} transformer ({several}); name one: --{stage}.")
        if candidates:
            folders[stage] = candidates[0]
        else:
            missing.append(f"a {stage} transformer (NAME/{FILES[stage]} with key {KEYS[stage][0]!r})")
    options = {}
    for stage in ("masked", "residual"):
        if stage in folders:
            _require(folders[stage] / "opt.txt", missing, root)
            if (folders[stage] / "opt.txt").is_file():
                options[stage] = read_options(folders[stage] / "opt.txt", ignore)
    if "tokenizer" not in folders and options:
        told = {o.text("vq_name"): o.path for o in options.values()}
        if len(told) > 1:
            raise WeightsError(
                f"{root}: the transformers belong to different tokenizers: "
                + ", ".join(f"{path.parent.name} to {name!r}" for name, path in told.items())
                + "; give two that belong together, or name the tokenizer: --tokenizer."
            )
        name, path = next(iter(told.items()))
        folders["tokenizer"] = root / _plain(name, f"{path}: vq_name")
    if "tokenizer" in folders:
        for part in ("opt.txt", "meta/mean.npy", "meta/std.npy"):
            _require(folders["tokenizer"] / part, missing, root)
        if (folders["tokenizer"] / "opt.txt").is_file():
            options["tokenizer"] = read_options(folders["tokenizer"] / "opt.txt", ignore)
    else:
        missing.append(f"a tokenizer (NAME/{FILES['tokenizer']}, the vq_name of the transformers' opt.txt)")
    for stage, place in folders.items():
        _require(place / FILES[stage], missing, root)
    if missing:
        raise WeightsError(f"{root}: missing: {'; '.join(dict.fromkeys(missing))}. Restore them from the release.")
    return ReleasedFiles(root, folders, options)


def _root(folder: Path) -> Path:
    """The folder of one data set."""
    if (folder / "checkpoints").is_dir():
        folder = folder / "checkpoints"
    if _is_data_set(folder):
        return folder
    inner = sorted(path for path in folder.iterdir() if path.is_dir() and _is_data_set(path))
    if len(inner) > 1:
        raise InputError(f"{folder}: holds {', '.join(p.name for p in inner)}; give one of them.")
    return inner[0] if inner else folder


def _is_data_set(folder: Path) -> bool:
    return any(
        path.is_dir() and ((path / "opt.txt").is_file() or (path / "model").is_dir()) for path in folder.iterdir()
    )


def _transformers(root: Path, missing: list[str]) -> dict[str, list[Path]]:
    """Stage -> folders whose weights are of a transformer of that stage. Told by what the files hold."""
    found: dict[str, list[Path]] = {}
    for path in sorted(p for p in root.iterdir() if p.is_dir() and p.name != LENGTH):
        files = [f for f in (path / "model/latest.tar", path / "model/net_best_fid.tar") if f.is_file()]
        told = path / "opt.txt"
        if told.is_file() and not any(line.startswith("vq_name:") for line in _lines(told)):
            continue  # a tokenizer, or the evaluator
        if told.is_file() and not files:
            missing.append(f"{path.name}/model/latest.tar (masked) or {path.name}/model/net_best_fid.tar (residual)")
        if not files:
            continue
        content = load_restricted(files[0])
        for stage in ("masked", "residual"):
            if any(key in content for key in KEYS[stage]):
                found.setdefault(stage, []).append(path)
    return found


def _lines(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(1 << 20).splitlines()
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror}).") from None


def _require(path: Path, missing: list[str], root: Path) -> None:
    if not path.is_file():
        missing.append(str(path.relative_to(root)))


def _plain(name: str, where: str) -> str:
    if Path(name).name != name or name in ("", ".", ".."):
        raise InputError(f"{where} is {name!r}, expected the plain name of a folder beside the others.")
    return name


def read_state(path: Path, stage: str) -> dict[str, Tensor]:
    """The released state of a stage: names -> tensors as they are stored, `clip_model.*` left out.

    Raises: WeightsError if the file has none of the stage's keys, or what is there is not named tensors.
    """
    return state_of(load_restricted(path), KEYS[stage], path, skip="clip_model.")
