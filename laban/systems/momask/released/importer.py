"""Released MoMask checkpoints into a Laban system, and a system back into the released layout.

The released files say what a network is (opt.txt and the shapes of the tensors); nothing is guessed: a part that is
missing is named, and a network that Laban does not build (another activation, norms, shared codebooks) is refused. The
statistics already have the divided deviations of the root and contact columns (docs/momask.md, "Released checkpoints"),
so `feature_bias` is 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from laban import checkpoint
from laban.errors import InputError, LabanError, WeightsError
from laban.motion import humanml
from laban.motion.humanml import Layout
from laban.nn.attention import sinusoids
from laban.nn.config import TokenizerConfig, TransformerConfig
from laban.systems.momask.config import PAPER, MoMaskConfig, SamplingConfig, TextConfig
from laban.systems.momask.released.files import FILES, KEYS, LENGTH, ReleasedFiles, locate, read_state
from laban.systems.momask.released.names import POSITIONS, STATISTICS, to_ours, to_released
from laban.systems.momask.released.options import ReleasedOptions
from laban.systems.momask.system import MoMask

CORPORA = {"t2m": ("humanml3d", humanml.HUMANML), "kit": ("kit-ml", humanml.KIT)}
"""dataset_name -> name of the corpus, layout."""
MAX_CLASSES = 1 << 16
"""No released size is larger."""
TABLE = 5000
"""Rows of the position table that the released files carry."""


def import_released(
    folder: str | Path,
    names: Mapping[str, str] | None = None,
    ignore: Iterable[str] = (),
    optional: Iterable[str] = (),
) -> MoMask:
    """The system that a released folder holds, in evaluation mode.

    Args:
        folder: checkpoints/t2m or checkpoints/kit, or a folder above it that holds only one of them.
        names: stage -> folder, where several could be meant.
        ignore: keys of opt.txt that change nothing.
        optional: "length" may be absent; the estimator is then untrained, and not in `provenance.trained`.
    Raises: InputError, WeightsError, FormatError naming what is missing, unknown, of a wrong shape or not ours.
    Source: the layout of the release (EricGuo5513/momask-codes); docs/momask.md, "Released checkpoints".
    """
    files = locate(Path(folder), names, ignore, optional)
    mean, std = files.statistics()
    states = {stage: read_state(files.weights(stage), stage) for stage in files.folders}
    config, corpus = _config(files, states, len(mean))
    if mean.shape != std.shape or not (std > 0).all():
        raise WeightsError(
            f"{files.root}: mean.npy {mean.shape} and std.npy {std.shape}, expected as many columns and deviations "
            "above 0; restore both."
        )
    with torch.random.fork_rng(devices=[]):
        system = MoMask(config, {"mean": mean, "std": std})
    for stage, state in states.items():
        where = str(files.weights(stage))
        _positions(state.pop(POSITIONS, None), where)
        ours = to_ours(stage, state, config)
        if stage == "tokenizer":
            _running(ours, system)
        checkpoint.load_into(system.module(stage), ours, where)
        system.provenance.trained.add(stage)
    system.provenance.data = (corpus,)
    system.provenance.licence = "that of the released files; ask their authors"
    return system.eval()


def export_released(system: MoMask, folder: str | Path, names: Mapping[str, str] | None = None) -> Path:
    """Write a system in the released layout; `import_released` reads it back, weight for weight.

    Args:
        system: trained, of the released layout's sizes.
        folder: becomes what the release calls checkpoints/t2m (or kit); made if absent.
        names: stage ("tokenizer", "masked", "residual") -> folder name.
    Returns: the folder.
    Raises: InputError if the system has something that the released layout cannot hold.
    """
    config, folder = system.config, Path(folder)
    layout = system.layout
    text, ours = config.text, config.tokenizer
    for name, wrong in (
        ("text.tokens", text.tokens), ("text.pooled=False", not text.pooled),
        ("fewer than 3 quantizers", ours.quantizers < 3),
        ("length.widths", len(config.length.widths) != len(PAPER.length.widths)),
    ):  # fmt: skip
        if wrong:
            raise InputError(f"export: the released layout has no place for {name}; export a system like `paper`.")
    named = {"tokenizer": "rvq", "masked": "t2m", "residual": "tres", **(names or {})}
    data = next(name for name, (_, known) in CORPORA.items() if known is layout)
    for stage in system.stages():
        place = folder / named.get(stage, LENGTH)
        (place / FILES[stage]).parent.mkdir(parents=True, exist_ok=True)
        state = to_released(stage, system.module(stage).state_dict(), config)
        if stage in ("masked", "residual"):
            width = config.masked.transformer.width if stage == "masked" else config.residual.transformer.width
            state[POSITIONS] = sinusoids(TABLE, width)[:, None]
        torch.save({KEYS[stage][0]: state, "ep": 0}, place / FILES[stage])
        if stage != "length":
            lines = [f"{k}: {v}" for k, v in sorted(_options(config, stage, data, named).items())]
            text_of = "\n".join(
                ["------------ Options -------------", *lines, "-------------- End ----------------", ""]
            )
            (place / "opt.txt").write_text(text_of, encoding="utf-8")
    meta = folder / named["tokenizer"] / "meta"
    meta.mkdir(exist_ok=True)
    np.save(meta / "mean.npy", system.mean.numpy())
    np.save(meta / "std.npy", system.std.numpy())  # with the divided columns, as the release has them
    return folder


def _config(files: ReleasedFiles, states: Mapping[str, Mapping[str, Tensor]], columns: int) -> tuple[MoMaskConfig, str]:
    """The configuration that opt.txt describes; sizes that it does not name are read off the tensors."""
    options = files.options["tokenizer"]
    corpus, layout = _data_set(files, columns)
    stride = options.whole("stride_t", 2, 2)
    options.one_of("vq_act", ("relu",))
    options.one_of("vq_norm", ("None",))
    options.one_of("shared_codebook", ("False",))
    code_dim = options.whole("code_dim", 1, MAX_CLASSES)
    options.whole("output_emb_width", code_dim, code_dim)
    tokenizer = TokenizerConfig(
        feature_width=layout.width,
        width=options.whole("width", 1, MAX_CLASSES),
        code_width=code_dim,
        codes=options.whole("nb_code", 2, MAX_CLASSES),
        quantizers=options.whole("num_quantizers", 3, 64),
        halvings=options.whole("down_t", 1, 6),
        depth=options.whole("depth", 1, 16),
        dilation_growth=options.whole("dilation_growth_rate", 1, 16),
        decay=options.number("mu", 0, 1),
        quantize_dropout=options.number("quantize_dropout_prob", 0, 1),
        gradient="compat",
    )
    assert stride == 2
    masked, residual = files.options["masked"], files.options["residual"]
    if residual.has("share_weight"):
        residual.one_of("share_weight", ("True",))
    widths = [_text_width(states[s], str(files.weights(s))) for s in ("masked", "residual")]
    most, estimator = PAPER.max_tokens, PAPER.length
    if "length" in states:
        estimator = replace(estimator, widths=_widths(states["length"], str(files.weights("length"))))
        last = states["length"][f"output.{4 * len(estimator.widths) - 1}.weight"]
        most = last.shape[0] - 1
        widths.append(states["length"]["output.0.weight"].shape[-1])
    if len(set(widths)) > 1:
        raise WeightsError(f"{files.root}: the networks take texts of widths {widths}; they do not belong together.")
    config = replace(
        PAPER,
        tokenizer=tokenizer,
        text=TextConfig("given", width=widths[0]),
        masked=replace(
            PAPER.masked, transformer=_transformer(masked), condition_dropout=masked.number("cond_drop_prob", 0, 1)
        ),
        residual=replace(
            PAPER.residual,
            transformer=_transformer(residual),
            condition_dropout=residual.number("cond_drop_prob", 0, 1),
        ),
        length=estimator,
        max_tokens=most,
        fps=layout.fps,
        sampling=SamplingConfig(guidance=4.0 if layout is humanml.HUMANML else 2.0),
        feature_bias=1.0,
    )
    return config, corpus


def _data_set(files: ReleasedFiles, columns: int) -> tuple[str, Layout]:
    """From dataset_name where it is said, and the width of the statistics."""
    said = {o.text("dataset_name") for o in files.options.values() if o.has("dataset_name")}
    unknown = said - set(CORPORA)
    if unknown or len(said) > 1:
        raise WeightsError(f"{files.root}: dataset_name is {', '.join(sorted(said))}; expected t2m or kit, everywhere.")
    for name, (corpus, layout) in CORPORA.items():
        if columns == layout.width and (not said or name in said):
            return corpus, layout
    raise WeightsError(
        f"{files.root}: mean.npy has {columns} columns and dataset_name is {', '.join(said) or '(absent)'}; expected "
        "263 for t2m, 251 for kit."
    )


def _transformer(options: ReleasedOptions) -> TransformerConfig:
    dropout = options.number("dropout", 0, 1)
    sizes = [options.whole(k, 1, MAX_CLASSES) for k in ("latent_dim", "n_layers", "n_heads", "ff_size")]
    try:
        return TransformerConfig(sizes[0], sizes[1], sizes[2], sizes[3], dropout=dropout, attention_dropout=dropout)
    except LabanError:
        raise WeightsError(
            f"{options.path}: latent_dim {sizes[0]} with n_heads {sizes[2]}; expected an even multiple of the heads."
        ) from None


def _text_width(state: Mapping[str, Tensor], where: str) -> int:
    weight = state.get("cond_emb.weight")
    if weight is None or weight.ndim != 2:
        raise WeightsError(f"{where}: has no matrix cond_emb.weight; it is no released MoMask transformer.")
    return int(weight.shape[1])


def _widths(state: Mapping[str, Tensor], where: str) -> tuple[int, ...]:
    """Sizes of the estimator's hidden layers, from its tensors."""
    found = []
    for i in range(len(PAPER.length.widths) + 1):
        name = f"output.{4 * i if i < len(PAPER.length.widths) else 4 * i - 1}.weight"
        if name not in state or state[name].ndim != 2:
            raise WeightsError(f"{where}: has no matrix {name}; it is no released length estimator.")
        found.append(int(state[name].shape[0]))
    return tuple(found[:-1])


def _positions(table: Tensor | None, where: str) -> None:
    """The stored position table must be the sinusoids that Laban computes."""
    if table is None:
        return
    flat = table.reshape(table.shape[0], -1) if table.ndim == 3 else table
    if flat.ndim != 2 or flat.shape[1] % 2 or flat.shape[0] > 1 << 20:
        raise WeightsError(f"{where}: {POSITIONS} has shape {tuple(table.shape)}, expected (length, 1, width).")
    ours = sinusoids(flat.shape[0], flat.shape[1])
    # Torch's exp and sin differ by the last bits between machines, and the argument grows to thousands.
    if not torch.allclose(flat.float(), ours, atol=2e-3) or not torch.allclose(flat[:64].float(), ours[:64], atol=1e-5):
        raise WeightsError(f"{where}: {POSITIONS} is no table of sinusoids; laban computes them. Restore the file.")


def _running(ours: dict[str, Tensor], system: MoMask) -> None:
    """The codebooks' training statistics, which the release leaves out: one use per code."""
    for name, value in system.tokenizer.state_dict().items():
        if not name.endswith(STATISTICS):
            continue
        codes = ours.get(name.rpartition(".")[0] + ".codes")
        if codes is None:
            continue  # said by load_into
        kind = name.rpartition(".")[2]
        ours[name] = {"code_sum": codes.clone(), "code_count": torch.ones(codes.shape[:1])}.get(
            kind, torch.ones_like(value)
        )


def _options(config: MoMaskConfig, stage: str, data: str, named: Mapping[str, str]) -> dict[str, object]:
    """What opt.txt of a stage says."""
    common: dict[str, object] = {"name": named[stage], "dataset_name": data, "is_train": True}
    if stage == "tokenizer":
        t = config.tokenizer
        return common | {
            "code_dim": t.code_width, "output_emb_width": t.code_width, "nb_code": t.codes, "width": t.width,
            "down_t": t.halvings, "stride_t": 2, "depth": t.depth, "dilation_growth_rate": t.dilation_growth,
            "vq_act": "relu", "vq_norm": None, "num_quantizers": t.quantizers, "shared_codebook": False,
            "quantize_dropout_prob": t.quantize_dropout, "mu": t.decay,
        }  # fmt: skip
    part = config.masked if stage == "masked" else config.residual
    t2 = part.transformer
    found = common | {
        "latent_dim": t2.width, "ff_size": t2.feedforward, "n_layers": t2.layers, "n_heads": t2.heads,
        "dropout": t2.dropout, "cond_drop_prob": part.condition_dropout, "vq_name": named["tokenizer"],
        "max_motion_length": config.max_frames, "unit_length": config.tokenizer.stride,
    }  # fmt: skip
    return found | ({"share_weight": True} if stage == "residual" else {})
