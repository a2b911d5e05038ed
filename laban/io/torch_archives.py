"""What other people's releases are read with: tensors out of `.tar`, `.pt` and `.pth` files, running nothing.

The files are what torch.save writes. torch's restricted loader (weights_only=True) refuses a pickle that asks for
anything but tensors and plain containers before it runs. Every importer in Laban reads through here.
"""

from __future__ import annotations

import pickle
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from laban.errors import WeightsError

LIMIT = 4 << 30
"""Largest file that is read, bytes, packed or unpacked."""


def load_restricted(path: Path) -> dict[str, Any]:
    """The dictionary that torch.save wrote, on the CPU. Nothing in the file is executed.

    Raises: WeightsError if it asks for anything else than tensors and plain containers, is damaged, or no dictionary.
    """
    try:
        if path.stat().st_size > LIMIT:
            raise WeightsError(
                f"{path}: is larger than {LIMIT >> 30} GiB, expected network weights. Name another file."
            )
        with path.open("rb") as file:
            if file.read(40).startswith(b"version https://git-lfs"):
                raise WeightsError(f"{path}: is a git-lfs pointer, not the weights; run git lfs pull.")
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                if sum(item.file_size for item in archive.infolist()) > LIMIT:
                    raise WeightsError(
                        f"{path}: unpacks to more than {LIMIT >> 30} GiB. Get the file from its authors."
                    )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of unusual pickle protocols
            content = torch.load(path, map_location="cpu", weights_only=True)
    except WeightsError:
        raise
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path}: refused, nothing of it was executed: not a file of plain tensors ({first_line(error)}). "
            "Get the file from its authors."
        ) from None
    except FileNotFoundError:
        raise WeightsError(f"{path}: missing; restore it from the release.") from None
    except (
        OSError, EOFError, ValueError, KeyError, IndexError, TypeError, AttributeError, RuntimeError, OverflowError,
        AssertionError, ImportError, MemoryError, zipfile.BadZipFile,
    ) as error:  # fmt: skip
        said = first_line(error)
        raise WeightsError(f"{path}: damaged, not a file of plain tensors ({said}); restore it.") from None
    if not isinstance(content, dict):
        raise WeightsError(f"{path}: holds a {type(content).__name__}, expected a dictionary of weights.")
    return content


def state_of(content: Mapping[str, Any], keys: Sequence[str], path: Path, skip: str = "") -> dict[str, Tensor]:
    """The named tensors under the one of `keys` that is there, without those whose names begin with `skip`.

    Raises: WeightsError if none or several of the keys are there, or what is there is not finite float tensors.
    """
    present = [key for key in keys if key in content]
    if len(present) != 1:
        raise WeightsError(
            f"{path}: has no tensors named {' or '.join(keys)}; it has {', '.join(map(str, list(content)[:8])) or '-'}."
            " Pass the released file."
        )
    return tensors_of(content[present[0]], path, present[0], skip)


def tensors_of(state: Any, path: Path, name: str, skip: str = "") -> dict[str, Tensor]:
    """`state` if it is a dictionary of finite float tensors; see `state_of`."""
    if not isinstance(state, dict):
        raise WeightsError(
            f"{path}: has no tensors named {name}: it is a {type(state).__name__}. Pass the released file."
        )
    out: dict[str, Tensor] = {}
    for key, value in state.items():
        if skip and isinstance(key, str) and key.startswith(skip):
            continue
        if not isinstance(key, str) or not isinstance(value, Tensor):
            raise WeightsError(f"{path}: {name}.{key} is a {type(value).__name__}, expected a tensor.")
        if value.layout != torch.strided or value.device.type != "cpu" or not value.is_floating_point():
            raise WeightsError(f"{path}: {name}.{key} is {value.dtype} on {value.device}, expected plain floats.")
        if value.numel() * value.element_size() > value.untyped_storage().nbytes():
            raise WeightsError(f"{path}: {name}.{key} claims {tuple(value.shape)}, more than the file holds.")
        if not torch.isfinite(value).all():
            raise WeightsError(f"{path}: {name}.{key} holds NaN or infinity. Fetch the file again.")
        out[key] = value.detach()
    return out


def read_vector(path: Path) -> np.ndarray:
    """(W,) float32 of an .npy file; nothing is unpickled. WeightsError if it is not that."""
    try:
        vector = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{path}: no .npy of plain numbers ({first_line(error)}); restore it.") from None
    if not isinstance(vector, np.ndarray) or vector.ndim != 1 or vector.dtype.kind != "f":
        raise WeightsError(f"{path}: expected one row of floating-point numbers, one per feature column; restore it.")
    if not np.isfinite(vector).all():
        raise WeightsError(f"{path}: has values that are not finite; restore it.")
    return vector.astype(np.float32)


def first_line(error: BaseException) -> str:
    """What an error says, for the inside of a message of ours."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
