"""A released MoMask folder with random weights and its expected outputs, made by the plain implementation in
benchmarks/baselines, which shares no code with laban/.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from baselines.momask import Baseline, Sizes, padding

KIT = Sizes(
    features=251, width=20, code_dim=16, codes=24, quantizers=4, down=2, depth=2, growth=2, latent=36, feedforward=40,
    layers=3, heads=3, text=30, classes=14,
)  # fmt: skip
FILES = {
    "vq": ("model/net_best_fid.tar", "vq_model"), "masked": ("model/latest.tar", "t2m_transformer"),
    "residual": ("model/net_best_fid.tar", "res_transformer"), "length": ("model/finest.tar", "estimator"),
}  # fmt: skip
NAMES = {"vq": "rvq_k", "masked": "mask_k", "residual": "res_k", "length": "length_estimator"}


def zero(positions: int, classes: int) -> torch.Tensor:
    return torch.zeros(1, positions, classes)


def options(s: Sizes, part: str, data: str) -> dict[str, object]:
    """With the traps of the released files: None, lists and 1e-5 as text, no milestones in one of them."""
    common = {"name": NAMES[part], "dataset_name": data, "is_train": True, "lr": 0.0002, "gpu_id": -1}
    if part == "vq":
        return common | {
            "code_dim": s.code_dim, "nb_code": s.codes, "output_emb_width": s.code_dim, "down_t": s.down,
            "stride_t": 2, "width": s.width, "depth": s.depth, "dilation_growth_rate": s.growth, "vq_act": "relu",
            "vq_norm": None, "num_quantizers": s.quantizers, "shared_codebook": False, "quantize_dropout_prob": 0.5,
            "mu": 0.99, "lr_scheduler": [150000, 250000], "weight_decay": "1e-5",
        }  # fmt: skip
    made = common | {
        "latent_dim": s.latent, "ff_size": s.feedforward, "n_layers": s.layers, "n_heads": s.heads, "dropout": 0.2,
        "cond_drop_prob": 0.1, "vq_name": NAMES["vq"], "milestones": [50000],
    }  # fmt: skip
    return made | ({"share_weight": True} if part == "residual" else {})


def write(folder: Path, sizes: Sizes = KIT, data: str = "kit", seed: int = 3) -> Baseline:
    """DIR/checkpoints/<data>/... and DIR/expected.npz."""
    made = Baseline.random(sizes, seed)
    rng = np.random.default_rng(seed)
    for part, (file, key) in FILES.items():
        place = folder / "checkpoints" / data / NAMES[part]
        (place / file).parent.mkdir(parents=True)
        state = getattr(made, part).state_dict()
        if part == "masked":
            state["clip_model.visual.proj"] = torch.zeros(2)
        torch.save({key: state, "ep": 3}, place / file)
        if part != "length":
            lines = [f"{k}: {v}\n" for k, v in sorted(options(sizes, part, data).items())]
            (place / "opt.txt").write_text("".join(["--- Options ---\n", *lines, "--- End ---\n"]))
    meta = folder / "checkpoints" / data / NAMES["vq"] / "meta"
    meta.mkdir()
    mean, std = rng.normal(size=sizes.features), rng.uniform(0.5, 2, sizes.features)
    np.save(meta / "mean.npy", mean.astype(np.float32))
    np.save(meta / "std.npy", std.astype(np.float32))
    np.savez(folder / "expected.npz", **expected(made, mean, std, seed))
    return made


@torch.no_grad()
def expected(made: Baseline, mean: np.ndarray, std: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    s = made.sizes
    told = torch.Generator().manual_seed(seed)
    lengths = torch.tensor([9, 13, 4, 13])
    text = torch.randn(4, s.text, generator=told)
    pad = padding(lengths, 13)
    motion = torch.randn(2, 24, s.features, generator=told)
    codes = made.vq.encode(motion)
    dropped = codes.clone()
    dropped[0, :, 2:] = -1
    ids = torch.randint(0, s.codes + 1, (4, 13), generator=told)
    ids[pad] = s.codes + 1
    base = made.masked.generate(text, lengths, 7, 3.5, zero, 1e-8)
    every = made.residual.generate(base, text, lengths, 2.0, zero, 1e-8)
    upper = torch.randint(0, s.codes, (4, 13, s.quantizers), generator=told).masked_fill(pad[..., None], -1)
    sums = made.residual.sums(upper.masked_fill(upper < 0, s.codes), torch.full((4,), 2))
    known, edit = ids.clone(), torch.rand(4, 13, generator=told) < 0.5
    known[~pad] %= s.codes
    edit[:, 0] = True
    decoded = made.vq.decode(every)
    arrays = {
        "motion": motion, "codes": codes, "reconstruction": made.vq.decode(codes), "codes_with_dropped": dropped,
        "reconstruction_with_dropped": made.vq.decode(dropped), "text": text, "lengths": lengths, "masked_ids": ids,
        "masked_logits_cond": made.masked(ids, text, pad),
        "masked_logits_cfg3.5": made.masked.guided(ids, text, pad, 3.5), "greedy_base_T7_s3.5": base,
        "residual_codes_q2": upper,
        "residual_logits_q2_cfg2": made.residual.guided(sums, torch.full((4,), 2), text, pad, 2.0),
        "greedy_all_codes_T7_s3.5_r2": every, "decoded_T7_s3.5_r2": decoded,
        "denormalised_T7_s3.5_r2": decoded.numpy() * std.astype(np.float32) + mean.astype(np.float32),
        "edit_tokens": known, "edit_mask": edit,
        "greedy_edit_T7_s2": made.masked.generate(text, lengths, 7, 2.0, zero, 1e-8, known, edit),
        "length_logits": made.length(text),
    }  # fmt: skip
    return {name: np.asarray(value) for name, value in arrays.items()}
