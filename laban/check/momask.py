"""`laban check momask DIR`: a released checkpoint against the outputs that the released code gave for it.

DIR holds checkpoints/ (the released layout), expected.npz and, if at hand, manifest.json. Names in expected.npz:

    motion (B, T, W) normalised, text (B, D), lengths (B,) tokens                         inputs
    masked_ids, edit_tokens, edit_mask (B, N), codes_with_dropped, residual_codes_qQ (B, N, Q)
    codes; reconstruction; reconstruction_with_dropped                                    of the tokenizer
    masked_logits_cond, masked_logits_uncond, masked_logits_cfgS                          S: guidance
    residual_logits_qQ_cfgS (or _cond, _uncond)                                           of layer Q
    greedy_base_TT_sS, greedy_edit_TT_sS                                                  T: steps
    greedy_all_codes_TT_sS_rR, decoded_TT_sS_rR, denormalised_TT_sS_rR                    R: residual guidance
    length_logits

Here Laban does as the released code does: the residual layers may draw their padding class, and clips are decoded
with their padding. The expected values are what the released code gave for the weights in the folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from laban.check.compare import CheckReport, Comparison, compare, concluded, read_arrays, refuse_unknown
from laban.errors import CheckFailed, FormatError
from laban.nn.sampling import generators
from laban.systems.momask.condition import Condition
from laban.systems.momask.released.importer import import_released
from laban.systems.momask.sampling import Inpainting, SamplingOptions, sample_base, sample_residual
from laban.systems.momask.system import MoMask

TOLERANCE = 1e-4  # absolute, float32 (KIT's denormalised columns are millimetres: relative)
EXACT = 1e-9  # integers
COLD = 1e-8  # a temperature at which a draw is the likeliest class
S = r"(\d{1,3}(?:\.\d{1,6})?)"
RUN = rf"T(\d{{1,4}})_s{S}"
INTEGERS = ("lengths", "masked_ids", "edit_tokens", "edit_mask", "codes_with_dropped")
INPUTS = rf"motion|text|{'|'.join(INTEGERS)}|residual_codes_q\d{{1,2}}"
GROUPS = {
    "codes": "motion", "reconstruction": "motion", "reconstruction_with_dropped": "codes_with_dropped",
    "masked_logits_cond": "text lengths masked_ids", "masked_logits_uncond": "text lengths masked_ids",
    rf"masked_logits_cfg{S}": "text lengths masked_ids",
    rf"residual_logits_q(\d{{1,2}})_(cond|uncond|cfg{S})": "text lengths residual_codes_q{0}",
    f"greedy_base_{RUN}": "text lengths", f"greedy_edit_{RUN}": "text lengths edit_tokens edit_mask",
    f"greedy_all_codes_{RUN}_r{S}": "text lengths", f"decoded_{RUN}_r{S}": "text lengths",
    f"denormalised_{RUN}_r{S}": "text lengths", "length_logits": "text",
}  # fmt: skip
"""Pattern of an expected array -> the inputs it needs."""
SHOWN = (
    "codes", "reconstruction", "reconstruction_with_dropped", "masked_logits_cond", "masked_logits_uncond",
    "masked_logits_cfgS", "residual_logits_qQ_cfgS", "greedy_base_TT_sS", "greedy_edit_TT_sS",
    "greedy_all_codes_TT_sS_rR", "decoded_TT_sS_rR", "denormalised_TT_sS_rR", "length_logits",
)  # fmt: skip


def check_momask(folder: str | Path) -> CheckReport:
    """Compare every expected array of the folder whose inputs are there.

    Returns: Report, all within tolerance; tokens exactly, everything else to 1e-4.
    Raises: CheckFailed for a folder without expected values, an unknown array, one beyond its tolerance, a manifest of
        other sizes, or nothing to compare; FormatError, WeightsError, InputError for files that cannot be read.
    """
    folder = Path(folder)
    path = folder / "expected.npz"
    if not path.is_file():
        raise CheckFailed(f"{folder}: nothing could be compared: there is no expected.npz in it.")
    arrays = read_arrays(path)
    unknown = [n for n in arrays if not re.fullmatch(INPUTS, n) and not any(re.fullmatch(p, n) for p in GROUPS)]
    refuse_unknown(Path(path), unknown, "the grammar of names is in laban/check/momask.py")
    facts = _facts(folder / "manifest.json")
    names = facts.get("names", {})
    chosen = {
        stage: names[key] for stage, key in (("tokenizer", "vq"), ("masked", "t"), ("residual", "r")) if key in names
    }
    optional = () if "length_logits" in arrays else ("length",)
    system = import_released(folder, chosen, optional=optional)
    _manifest(folder / "manifest.json", facts, system, arrays)
    run = Run(system, arrays, path)
    rows: list[Comparison] = []
    absent: list[str] = []
    for shown, (pattern, needed) in zip(SHOWN, GROUPS.items(), strict=True):
        matches = [(name, m) for name in sorted(arrays) if (m := re.fullmatch(pattern, name))]
        if not matches:
            absent.append(shown)
        for name, match in matches:
            missing = [n for n in needed.format(*match.groups()).split() if n not in arrays]
            if missing:
                absent.append(f"{', '.join(missing)} (so {name} stands alone)")
                continue
            kind = re.split(r"_(?:T\d|q\d|cfg|cond|uncond)", name)[0]
            got = COMPUTED[kind](run, name, match.groups())
            relative = TOLERANCE if kind == "denormalised" and system.layout.unit != 1 else 0.0
            exact = kind in ("codes", "greedy_base", "greedy_edit", "greedy_all_codes")
            rows.append(compare(name, got.numpy(), arrays[name], EXACT if exact else TOLERANCE, relative))
    absent += [n for n in ("motion", "text", "lengths", *INTEGERS[1:]) if n not in arrays]
    if not (folder / "manifest.json").exists():
        absent.append("manifest.json")
    return concluded(CheckReport(str(folder), "", tuple(rows), tuple(dict.fromkeys(absent))))


class Run:
    """The arrays of one file, checked where they are first used, and the system that answers."""

    def __init__(self, system: MoMask, arrays: dict[str, np.ndarray], path: Path) -> None:
        self.system, self.arrays, self.path = system, arrays, path
        self.bases: dict[tuple[str, str], Tensor] = {}
        self.codes: dict[tuple[str, str, str], Tensor] = {}

    def wrong(self, name: str, expected: str) -> FormatError:
        array = self.arrays[name]
        return FormatError(
            f"{self.path}: {name} is {array.dtype} {array.shape}, expected {expected}. Restore the file."
        )

    def floats(self, name: str, *shape: int | None) -> Tensor:
        array = self.arrays[name]
        fits = array.ndim == len(shape) and all(w in (None, n) for n, w in zip(array.shape, shape, strict=True))
        if not fits or not array.size or not np.isfinite(array).all():
            raise self.wrong(name, f"finite numbers {shape}, None being any size")
        return torch.from_numpy(array.astype(np.float32))

    def whole(self, name: str, low: int, high: int, *shape: int | None) -> Tensor:
        values = self.floats(name, *shape)
        if (values != values.round()).any() or values.min() < low or values.max() > high:
            raise self.wrong(name, f"whole numbers from {low} to {high}")
        return values.to(torch.int64)

    @cached_property
    def text(self) -> Tensor:
        return self.floats("text", None, self.system.config.text.width)

    @cached_property
    def condition(self) -> Condition:
        return Condition(self.text)

    @cached_property
    def lengths(self) -> list[int]:
        return self.whole("lengths", 1, self.system.config.max_tokens, len(self.text)).tolist()

    def valid(self, places: int) -> Tensor:
        return torch.arange(places) < torch.tensor(self.lengths)[:, None]

    @torch.no_grad()
    def masked(self, how: str) -> Tensor:
        model = self.system.masked
        ids = self.whole("masked_ids", 0, model.pad_id, len(self.text), None)
        valid = self.valid(ids.shape[1])
        none = self.condition.dropped(torch.ones(len(ids), dtype=torch.bool))
        return _guided(how, lambda: model(ids, self.condition, valid), lambda: model(ids, none, valid))

    @torch.no_grad()
    def residual(self, q: int, how: str) -> Tensor:
        model = self.system.residual
        name = f"residual_codes_q{q}"
        if not 1 <= q < model.quantizers:
            raise self.wrong(name, f"a layer from 1 to {model.quantizers - 1}")
        codes = self.whole(name, -1, model.pad_id, len(self.text), None, model.quantizers)
        codes = torch.where(codes < 0, model.pad_id, codes)
        valid = self.valid(codes.shape[1])
        below = torch.stack([model.embed(codes[..., j], j) for j in range(q)]).sum(0)
        which = torch.full((len(codes),), q)
        none = self.condition.dropped(torch.ones(len(codes), dtype=torch.bool))
        return _guided(
            how, lambda: model(below, which, self.condition, valid), lambda: model(below, which, none, valid)
        )

    def base(self, steps: str, scale: str, *, edited: bool = False) -> Tensor:
        key = (steps, scale)
        if edited or key not in self.bases:
            inpainting = None
            model = self.system.masked
            if edited:
                most = max(self.lengths)
                known = self.whole("edit_tokens", -1, model.pad_id, len(self.text), most)
                known = torch.where(known < 0, model.pad_id, known)
                place = self.whole("edit_mask", 0, 1, len(self.text), most).bool()
                inpainting = Inpainting(known, place)
            sources = generators(0, len(self.lengths))
            options = SamplingOptions(float(scale), temperature=COLD)
            made = sample_base(model, self.condition, self.lengths, sources, int(steps), options, inpainting)
            if edited:
                return made
            self.bases[key] = made
        return self.bases[key]

    def every(self, steps: str, scale: str, upper: str) -> Tensor:
        key = (steps, scale, upper)
        if key not in self.codes:
            options, sources = SamplingOptions(float(upper), temperature=COLD), generators(0, len(self.lengths))
            base = self.base(steps, scale)
            self.codes[key] = sample_residual(
                self.system.residual, base, self.condition, self.lengths, sources, options, pad_class=True
            )
        return self.codes[key]

    @torch.no_grad()
    def decoded(self, groups: tuple[str, ...]) -> Tensor:
        return self.system.tokenizer.decode(self.every(*groups))

    def encoded(self) -> Tensor:
        layout, stride = self.system.layout, self.system.config.tokenizer.stride
        motion = self.floats("motion", None, None, layout.width)
        if motion.shape[1] < stride:
            raise self.wrong("motion", f"at least {stride} frames")
        return self.system.tokenizer.encode(motion)

    @torch.no_grad()
    def dropped(self) -> Tensor:
        t = self.system.config.tokenizer
        return self.system.tokenizer.decode(self.whole("codes_with_dropped", -1, t.codes - 1, None, None, t.quantizers))

    @torch.no_grad()
    def length(self) -> Tensor:
        return self.system.length(self.text)


def _guided(how: str, conditional: Callable[[], Tensor], unconditional: Callable[[], Tensor]) -> Tensor:
    if how in ("cond", "uncond"):
        return conditional() if how == "cond" else unconditional()
    c, u = conditional(), unconditional()
    return u + float(how.removeprefix("cfg")) * (c - u)


@torch.no_grad()
def _reconstruction(run: Run) -> Tensor:
    return run.system.tokenizer.decode(run.encoded())


COMPUTED: dict[str, Callable[[Run, str, tuple[Any, ...]], Tensor]] = {
    "codes": lambda run, _name, _g: run.encoded(),
    "reconstruction": lambda run, _name, _g: _reconstruction(run),
    "reconstruction_with_dropped": lambda run, _name, _g: run.dropped(),
    "masked_logits": lambda run, name, _g: run.masked(name.removeprefix("masked_logits_")),
    "residual_logits": lambda run, _name, g: run.residual(int(g[0]), g[1]),
    "greedy_base": lambda run, _name, g: run.base(g[0], g[1]),
    "greedy_edit": lambda run, _name, g: run.base(g[0], g[1], edited=True),
    "greedy_all_codes": lambda run, _name, g: run.every(g[0], g[1], g[2]),
    "decoded": lambda run, _name, g: run.decoded(g),
    "denormalised": lambda run, _name, g: run.decoded(g) * run.system.std + run.system.mean,
    "length_logits": lambda run, _name, _g: run.length(),
}


def _facts(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        names = {str(k): str(v) for k, v in dict(facts.get("names", {})).items()}
        return dict(facts) | {"names": names, "arrays": dict(facts.get("arrays", {}))}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise FormatError(
            f"{path}: not a manifest ({' '.join(str(error).split())[:160]}). Restore or remove it."
        ) from None


def _manifest(path: Path, facts: dict[str, Any], system: MoMask, arrays: dict[str, np.ndarray]) -> None:
    """The sizes that manifest.json names against those of the networks, and its shapes against the arrays'."""
    config = system.config
    have = {
        "dim_pose": system.layout.width, "dataset": "t2m" if system.layout.unit == 1 else "kit",
        "code_dim": config.tokenizer.code_width, "nb_code": config.tokenizer.codes, "width": config.tokenizer.width,
        "num_quantizers": config.tokenizer.quantizers, "latent_dim": config.masked.transformer.width,
        "ff": config.masked.transformer.feedforward, "n_layers": config.masked.transformer.layers,
        "n_heads": config.masked.transformer.heads,
    }  # fmt: skip
    wrong = [f"size {key}" for key, value in have.items() if key in facts and facts[key] != value]
    wrong += [
        f"shape of {key}"
        for key, s in facts.get("arrays", {}).items()
        if key in arrays and list(arrays[key].shape) != s
    ]
    if wrong:
        raise CheckFailed(f"{path}: {', '.join(wrong)} is not that of the files beside it.")
