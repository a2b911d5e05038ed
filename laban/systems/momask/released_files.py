"""The files of a released MoMask folder: which is which, and tensors out of them without running anything.

    <folder>/<vq>/opt.txt  model/net_best_fid.tar (vq_model or net)  meta/{mean,std}.npy
    <folder>/<masked>/opt.txt  model/latest.tar (t2m_transformer or trans)
    <folder>/<residual>/opt.txt  model/net_best_fid.tar (res_transformer)
    <folder>/length_estimator/model/finest.tar (estimator)

<folder> is what the release calls checkpoints/t2m or checkpoints/kit. The `.tar` files are what torch.save writes.
They are read by torch's restricted loader (weights_only=True): a pickle that asks for anything but tensors and plain
containers is refused before it runs.
"""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from laban.checkpoint import LIMIT
from laban.errors import FormatError, InputError, WeightsError
from laban.systems.momask.released_options import ReleasedOptions, read_options

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


def locate(folder: Path, names: Mapping[str, str] | None = None, ignore: Iterable[str] = ()) -> ReleasedFiles:
    """Find the parts.

    Args:
        folder: checkpoints/t2m or checkpoints/kit, or a folder above that holds only one of them.
        names: stage ("tokenizer", "masked", "residual") -> folder name, where there are several.
        ignore: unknown keys to pass over in opt.txt.
    Raises: InputError if `folder` is no folder, or several parts could be meant; WeightsError naming every file that
        is missing; FormatError for unreadable options.
    """
    names, ignore = dict(names or {}), tuple(ignore)
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; give the released checkpoints/t2m or checkpoints/kit.")
    root = _root(folder)
    folders = {LENGTH_STAGE: root / LENGTH}
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


LENGTH_STAGE = "length"


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
    return any(path.is_dir() and ((path / "opt.txt").is_file() or (path / "model").is_dir()) for path in folder.iterdir())


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


def load_restricted(path: Path) -> dict[str, Any]:
    """The dictionary that torch.save wrote, on the CPU. Nothing in the file is executed.

    Raises: WeightsError if it asks for anything else than tensors and plain containers, is damaged, or no dictionary.
    """
    try:
        if path.stat().st_size > LIMIT:
            raise WeightsError(f"{path}: is larger than {LIMIT} bytes; it is no released MoMask checkpoint.")
        with path.open("rb") as file:
            if file.read(40).startswith(b"version https://git-lfs"):
                raise WeightsError(f"{path}: is a git-lfs pointer, not the weights; run git lfs pull.")
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path}: refused, nothing of it was executed: it is no plain torch.save of tensors ({_first(error)}). "
            "Get the file from its authors."
        ) from None
    except FileNotFoundError:
        raise WeightsError(f"{path}: missing; restore it from the release.") from None
    except (
        OSError, EOFError, ValueError, KeyError, IndexError, TypeError, AttributeError, RuntimeError, OverflowError,
        AssertionError, ImportError, MemoryError, zipfile.BadZipFile,
    ) as error:  # fmt: skip
        raise WeightsError(f"{path}: damaged ({_first(error)}); restore it from the release.") from None
    if not isinstance(content, dict):
        raise WeightsError(f"{path}: holds a {type(content).__name__}, expected a dictionary of weights.")
    return content


def read_state(path: Path, stage: str) -> dict[str, Tensor]:
    """The released state of a stage: names -> tensors as they are stored, `clip_model.*` left out.

    Raises: WeightsError if the file has none of the stage's keys, or what is there is not named tensors.
    """
    content = load_restricted(path)
    present = [key for key in KEYS[stage] if key in content]
    if len(present) != 1:
        raise WeightsError(
            f"{path}: has keys {', '.join(sorted(map(str, content))[:8]) or '(none)'}; expected "
            f"{' or '.join(map(repr, KEYS[stage]))}, one of them."
        )
    state = content[present[0]]
    if not isinstance(state, dict):
        raise WeightsError(f"{path}: {present[0]!r} is a {type(state).__name__}, expected named tensors.")
    out: dict[str, Tensor] = {}
    for name, value in state.items():
        if isinstance(name, str) and name.startswith("clip_model."):
            continue
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise WeightsError(f"{path}: {name!r} is a {type(value).__name__}, expected a tensor.")
        if value.layout != torch.strided or value.device.type != "cpu" or not value.is_floating_point():
            raise WeightsError(f"{path}: {name!r} is a {value.dtype} tensor on {value.device}, expected plain floats.")
        out[name] = value.detach()
    return out


def read_vector(path: Path) -> np.ndarray:
    """(W,) float32 of an .npy file; nothing is unpickled. WeightsError if it is not that."""
    try:
        vector = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{path}: no .npy of plain numbers ({_first(error)}); restore it.") from None
    if not isinstance(vector, np.ndarray) or vector.ndim != 1 or vector.dtype.kind != "f":
        raise WeightsError(f"{path}: expected one row of floating-point numbers, one per feature column; restore it.")
    if not np.isfinite(vector).all():
        raise WeightsError(f"{path}: has values that are not finite; restore it.")
    return vector.astype(np.float32)


def _first(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
