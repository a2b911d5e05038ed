"""`laban check metrics FILE.npz`: our metrics against expected values.

Names are a grammar; n is a seed, k a number of pairs, X any letters:

    text_embeddings, motion_embeddings -> r_precision_top123 (a digit per k), multimodal_distance
    real_embeddings, motion_embeddings -> fid_real_vs_motion
    motion_embeddings                  -> diversity_seed{n}_{k}
    multimodality_embeddings           -> multimodality_seed{n}_{k}
    X_joints (T, 24, 3)                -> X_kinetic (72), X_geometric (32)     `compat` mode
    fid_real_features, fid_generated_features -> fid_normalised_by_real        `compat` mode
    kinematic_beats, music_beats, sigma_frames -> score_over_kinematic_beats, score_over_music_beats
    fps                                names the rate of the beats; nothing follows from it

Every expected value whose inputs are there is compared; the others are named.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from laban.check.compare import CheckReport, compare, concluded, read_arrays, refuse_unknown
from laban.errors import FormatError, LabanError
from laban.metrics import dance, embedding, frechet
from laban.metrics.geometric import geometric
from laban.metrics.kinetic import kinetic

TOLERANCE = 1e-6  # absolute and relative
POOL = embedding.POOL
Arrays = dict[str, np.ndarray]


def _r_precision(a: Arrays, digits: str) -> np.ndarray:
    ranks = [int(digit) for digit in digits]
    found = embedding.r_precision(a["text_embeddings"], a["motion_embeddings"], top=max(ranks))
    return found[[rank - 1 for rank in ranks]]


def _beats(a: Arrays, over: str) -> float:
    sigma = float(a["sigma_frames"]) if "sigma_frames" in a else 3.0
    kinds = (a["kinematic_beats"], a["music_beats"])
    return dance.beat_alignment(*kinds, over="music" if over == "music" else "kinematic", sigma=sigma)


# pattern of an expected array -> the inputs it needs ({} is the first group of the name), how it is computed
EXPECTED: dict[str, tuple[tuple[str, ...], Callable[..., object]]] = {
    r"r_precision_top([1-9]+)": (("text_embeddings", "motion_embeddings"), _r_precision),
    r"multimodal_distance": (
        ("text_embeddings", "motion_embeddings"),
        lambda a: embedding.multimodal_distance(a["text_embeddings"], a["motion_embeddings"], POOL),
    ),
    r"fid_real_vs_motion": (
        ("real_embeddings", "motion_embeddings"),
        lambda a: frechet.frechet(a["real_embeddings"], a["motion_embeddings"]),
    ),
    r"diversity_seed(\d{1,9})_(\d{1,9})": (
        ("motion_embeddings",),
        lambda a, n, k: embedding.diversity(a["motion_embeddings"], int(k), int(n)),
    ),
    r"multimodality_seed(\d{1,9})_(\d{1,9})": (
        ("multimodality_embeddings",),
        lambda a, n, k: embedding.multimodality(a["multimodality_embeddings"], int(k), int(n)),
    ),
    r"(.+)_kinetic": (("{}_joints",), lambda a, x: kinetic(a[f"{x}_joints"])),
    r"(.+)_geometric": (("{}_joints",), lambda a, x: geometric(a[f"{x}_joints"])),
    r"fid_normalised_by_real": (
        ("fid_real_features", "fid_generated_features"),
        lambda a: dance.feature_frechet(a["fid_real_features"], a["fid_generated_features"], "compat"),
    ),
    r"score_over_(kinematic|music)_beats": (("kinematic_beats", "music_beats"), _beats),
}
INPUTS = (
    r"text_embeddings|motion_embeddings|real_embeddings|multimodality_embeddings|(.+)_joints|fid_real_features|"
    r"fid_generated_features|kinematic_beats|music_beats|sigma_frames|fps"
)
GROUPS = (
    "r_precision_top123", "multimodal_distance", "fid_real_vs_motion", "diversity_seedN_PAIRS",
    "multimodality_seedN_PAIRS", "X_kinetic", "X_geometric", "fid_normalised_by_real", "score_over_kinematic_beats",
    "score_over_music_beats",
)  # fmt: skip


def check_metrics(path: str | Path) -> CheckReport:
    """Compare every expected value of the file whose inputs are there.

    Returns: Report, all within 1e-6 |x| + 1e-6; what is absent is named in it.
    Raises: FormatError if the file cannot be read or an input has an impossible shape; CheckFailed on an unknown
        array, a value beyond tolerance, or nothing to compare.
    Source: the tolerance is the rounding of the released numpy code; the values are those of the file.
    """
    arrays = read_arrays(path)
    unknown = [n for n in arrays if not re.fullmatch(INPUTS, n) and not any(re.fullmatch(p, n) for p in EXPECTED)]
    refuse_unknown(Path(path), unknown, "the grammar of names is in laban/check/metrics.py")
    for name in ("fps", "sigma_frames"):
        if name in arrays and not (arrays[name].ndim == 0 and 0 < float(arrays[name]) < np.inf):
            raise FormatError(f"{path}: {name} is {arrays[name]}, expected one positive number. Correct the array.")
    rows, absent, seen = [], [], set()
    for pattern, (needed, compute) in EXPECTED.items():
        for name in sorted(arrays):
            match = re.fullmatch(pattern, name)
            if not match:
                continue
            seen.add(pattern)
            missing = [n for n in (need.format(*match.groups()) for need in needed) if n not in arrays]
            if missing:
                absent.append(f"{', '.join(missing)} (so {name} stands alone)")
                continue
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", frechet.FewSamplesWarning)
                    got = compute(arrays, *match.groups())
            except LabanError as error:
                raise FormatError(f"{path}: {name} cannot be computed: {error}") from None
            rows.append(compare(name, np.asarray(got), arrays[name], TOLERANCE, TOLERANCE))
    absent += [group for group in GROUPS if not any(re.fullmatch(p, _example(group)) for p in seen)]
    for name in arrays:
        clip = re.fullmatch(r"(.+)_joints", name)
        if clip:
            absent += [n for n in (f"{clip[1]}_kinetic", f"{clip[1]}_geometric") if n not in arrays]
    return concluded(CheckReport(str(path), "", tuple(rows), tuple(dict.fromkeys(absent))))


def _example(group: str) -> str:
    return group.replace("N_PAIRS", "1_1")
