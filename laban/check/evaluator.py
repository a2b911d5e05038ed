"""`laban check evaluator DIR`: the T2M evaluator against expected embeddings.

DIR holds finest.tar (the released layout), expected.npz and, if at hand, manifest.json:

    motions (B, T, pose), lengths (B,)                                    normalised features, frames
    word_embeddings (B, N, W), pos_onehot (B, N, 15), caption_lengths (B,)
    motion_embedding_in_input_order (B, D), text_embedding_in_input_order (B, D)
    released_output_order (B,)                                            longest motion first
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from laban.check.compare import CheckReport, Comparison, compare, concluded, read_arrays, refuse_unknown
from laban.errors import CheckFailed, FormatError
from laban.systems.evaluator.released import T2MEvaluator

TOLERANCE = 1e-4  # absolute, float32
MOTION, TEXT, ORDER = "motion_embedding_in_input_order", "text_embedding_in_input_order", "released_output_order"
NEEDS = {
    MOTION: ("motions", "lengths"),
    TEXT: ("word_embeddings", "pos_onehot", "caption_lengths"),
    ORDER: ("lengths",),
}
KNOWN = frozenset(NEEDS) | {name for needed in NEEDS.values() for name in needed}
EXACT = 1e-9  # integers


def check_evaluator(folder: str | Path) -> CheckReport:
    """Compare every expected array of the folder whose inputs are there.

    Raises: FormatError, WeightsError, ShapeError for files that cannot be read or used; CheckFailed on an unknown
        array, one beyond 1e-4 (orders and sizes: exactly), or nothing to compare.
    Source: the tolerance is the rounding of float32 through the network; the values are those of the folder.
    """
    folder = Path(folder)
    arrays = read_arrays(folder / "expected.npz")
    unknown = sorted(set(arrays) - KNOWN)
    refuse_unknown(folder / "expected.npz", unknown, f"expected {', '.join(sorted(KNOWN))}")
    evaluator = T2MEvaluator.load(folder / "finest.tar")
    absent = sorted(KNOWN - set(arrays))
    given = {name: torch.from_numpy(array) for name, array in arrays.items()}
    rows: list[Comparison] = []
    for name, needed in NEEDS.items():
        if name not in arrays or not set(needed) <= set(arrays):
            continue
        inputs = [given[n] for n in needed]
        if name == ORDER:
            got = np.argsort(arrays["lengths"], kind="stable")[::-1]
        elif name == MOTION:
            got = evaluator.embed_motions(inputs[0], inputs[1]).numpy()
        else:
            got = evaluator.embed_texts(inputs[0], inputs[1], inputs[2]).numpy()
        rows.append(compare(name, got, arrays[name], EXACT if name == ORDER else TOLERANCE))
    if rows:
        rows += _manifest(folder / "manifest.json", evaluator, arrays, absent)
    return concluded(CheckReport(str(folder), "", tuple(rows), tuple(absent)))


def _manifest(
    path: Path, evaluator: T2MEvaluator, arrays: dict[str, np.ndarray], absent: list[str]
) -> list[Comparison]:
    """The sizes that manifest.json names against those of the networks, and its shapes against the arrays'."""
    if not path.exists():
        absent.append(path.name)
        return []
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        sizes, shapes = dict(facts.get("sizes", {})), dict(facts.get("arrays", {}))
        sizes |= {key: facts[key] for key in ("dim_pose", "unit_length") if key in facts}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise FormatError(f"{path}: not a manifest ({' '.join(str(error).split())}). Restore or remove it.") from None
    text, movement = evaluator.text, evaluator.movement
    have = {
        "word": text.pos_emb.out_features,
        "pos": text.pos_emb.in_features,
        "text_hidden": text.gru.hidden_size,
        "coembedding": text.out,
        "movement_hidden": movement.hidden,
        "movement_latent": movement.out_net.out_features,
        "motion_hidden": evaluator.motion.gru.hidden_size,
        "dim_pose": evaluator.pose,
        "unit_length": evaluator.unit,
    }
    wrong = [f"size {key}" for key, value in sizes.items() if have.get(key) != value]
    wrong += [f"shape of {key}" for key, shape in shapes.items() if key in arrays and list(arrays[key].shape) != shape]
    if wrong:
        raise CheckFailed(f"{path}: {', '.join(wrong)} is not that of the files beside it.")
    return []
