"""`laban check motionclip DIR`: the released auto-encoder against expected latents and motions.

DIR holds checkpoint_NNNN.pth.tar, opt.yaml and expected.npz:

    motion (B, 25, 6, T), mask (B, T) True where real, lengths (B,)
    latent (B, D)                         of motion and mask
    reconstruction (B, 25, 6, T)          of latent and mask
    free_latent (B, D) -> decoded_free (B, 25, 6, T)   with the same mask
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from laban.check.compare import CheckReport, Comparison, compare, concluded, read_arrays, refuse_unknown
from laban.errors import FormatError
from laban.systems.motionclip.released.importer import load_released

TOLERANCE = 1e-4  # absolute, float32
EXACT = 1e-9
MOTIONS = ("motion", "reconstruction", "decoded_free")
LATENTS = ("latent", "free_latent")
KNOWN = (*MOTIONS, *LATENTS, "mask", "lengths")


def check_motionclip(folder: str | Path) -> CheckReport:
    """Compare every expected array of the folder whose inputs are there.

    Raises: InputError, FormatError, WeightsError for files that cannot be read or used; CheckFailed on an unknown
        array, one beyond 1e-4 (lengths: exactly), or nothing to compare.
    Source: the tolerance is the rounding of float32 through the network; the values are those of the folder.
    """
    folder = Path(folder)
    arrays = read_arrays(folder / "expected.npz")
    unknown = sorted(set(arrays) - set(KNOWN))
    refuse_unknown(folder / "expected.npz", unknown, f"expected {', '.join(KNOWN)}")
    system = load_released(folder)
    network, width = system.autoencoder, system.config.network.latent
    rows_of = system.config.network.joints + 1
    _check_shapes(folder, arrays, width, rows_of)
    absent = sorted(set(KNOWN) - set(arrays))
    mask = _mask(arrays)
    if mask is None:
        return concluded(CheckReport(str(folder), "", (), tuple(absent)))
    valid = torch.from_numpy(mask)
    rows: list[Comparison] = []
    if {"mask", "lengths"} <= set(arrays):
        rows.append(compare("lengths", mask.sum(1), arrays["lengths"], EXACT))

    def decoded(latent: np.ndarray) -> np.ndarray:
        made = network.decode(torch.from_numpy(latent).float(), valid)
        return made.unflatten(-1, (rows_of, 6)).permute(0, 2, 3, 1).numpy()

    with torch.no_grad():
        latent = arrays.get("latent")
        if "motion" in arrays:
            motion = torch.from_numpy(arrays["motion"]).float().permute(0, 3, 1, 2).flatten(2)
            got = network.encode(motion, valid).numpy()
            if latent is not None:
                rows.append(compare("latent", got, latent, TOLERANCE))
            latent = got if latent is None else latent
        for name, source in (("reconstruction", latent), ("decoded_free", arrays.get("free_latent"))):
            if name in arrays and source is not None:
                rows.append(compare(name, decoded(source), arrays[name], TOLERANCE))
    return concluded(CheckReport(str(folder), "", tuple(rows), tuple(absent)))


def _mask(arrays: dict[str, np.ndarray]) -> np.ndarray | None:
    """(B, T) bool: the file's, or from lengths, or all frames of the motions there are; None without any."""
    if "mask" in arrays:
        return arrays["mask"].astype(bool)
    some = next((arrays[name] for name in MOTIONS if name in arrays), None)
    if some is None:
        return None
    places = np.arange(some.shape[-1])[None]
    lengths = arrays.get("lengths", np.full(len(some), some.shape[-1]))
    return places < lengths[:, None]


def _check_shapes(folder: Path, arrays: dict[str, np.ndarray], width: int, rows: int) -> None:
    """FormatError for an array that does not fit the network or the others."""
    motions = [arrays[n] for n in MOTIONS if n in arrays]
    frames = arrays["mask"].shape[-1] if "mask" in arrays else motions[0].shape[-1] if motions else 0
    count = len(next(iter(arrays.values()))) if arrays and next(iter(arrays.values())).ndim else 0
    wanted: dict[str, tuple[int, ...]] = {name: (count, rows, 6, frames) for name in MOTIONS}
    wanted |= {name: (count, width) for name in LATENTS} | {"mask": (count, frames), "lengths": (count,)}
    for name, array in arrays.items():
        if array.shape != wanted[name] or 0 in array.shape:
            raise FormatError(
                f"{folder}/expected.npz: {name} has shape {array.shape}, expected {wanted[name]} beside the other "
                "arrays and these weights. Correct the array."
            )
