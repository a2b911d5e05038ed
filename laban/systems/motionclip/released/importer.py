"""The released checkpoints: a bare state dict beside `opt.yaml`.

Source: the files of the release (GuyTevet/MotionCLIP). Nothing but tensors is unpickled, and of the
YAML only flat `key: value` lines are read (the released loader runs whatever the file's tags say).
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from laban import checkpoint
from laban.errors import FormatError, InputError, WeightsError
from laban.io.torch_archives import load_restricted
from laban.systems.motionclip.config import PAPER, MotionClipConfig
from laban.systems.motionclip.system import MotionCLIP

LARGEST_OPTIONS = 1 << 20
_LINE = re.compile(r"([A-Za-z_]\w*):[ \t]+([^\s#].*?)[ \t]*(?:#.*)?")
_NAME = re.compile(r"checkpoint_(\d+)\.pth\.tar")


def load_released(folder: str | Path) -> MotionCLIP:
    """The system of a released folder, in evaluation mode.

    Args:
        folder: with checkpoint_NNNN.pth.tar (the last one is taken) and opt.yaml.
    Raises: InputError if one is missing; FormatError if one cannot be read; WeightsError if the tensors are not
        those of the network that opt.yaml describes.
    """
    folder = Path(folder)
    path = checkpoint_in(folder)
    options = read_options(folder / "opt.yaml")
    state = read_state(path)
    config = config_of(options, state, folder)
    width = config.network.channels
    nothing = torch.zeros(width)
    stats = {"mean": nothing, "std": nothing + 1, "text_mean": torch.zeros(config.text.width)}
    system = MotionCLIP(config, stats)
    checkpoint.load_into(system.module("autoencoder"), state, str(path))
    for key, value in state.items():
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise WeightsError(f"{path}: tensor {key!r} holds NaN or infinity; fetch the file again.")
    system.provenance.preset = "paper"
    system.provenance.data = ("AMASS", "BABEL")
    system.provenance.licence = "that of the released weights and of AMASS and BABEL: research, non-commercial"
    system.provenance.trained.add("autoencoder")
    return system.eval()


def checkpoint_in(folder: Path) -> Path:
    """The checkpoint with the highest number. InputError if there is none."""
    found = [(int(m[1]), p) for p in folder.glob("checkpoint_*.pth.tar") if (m := _NAME.fullmatch(p.name))]
    if not found:
        raise InputError(
            f"{folder}: has no checkpoint_NNNN.pth.tar; expected the released folder with it and opt.yaml."
        )
    return max(found)[1]


def read_options(path: Path) -> dict[str, str]:
    """Flat scalars of opt.yaml as text, without quotes; lists, nesting and tagged values are passed over."""
    try:
        if path.stat().st_size > LARGEST_OPTIONS:
            raise FormatError(f"{path}: is larger than 1 MiB; expected the options of a training run.")
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise InputError(f"{path}: missing; it stands beside the released checkpoint.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"{path}: not readable text ({error}).") from None
    found = (_LINE.fullmatch(line) for line in lines)
    return {m[1]: m[2].strip("'\"") for m in found if m and m[2][0] not in "!&*[{|>"}


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of the auto-encoder; those of CLIP (`clip_model.*`) are left.

    Raises: WeightsError if the restricted loader cannot read the file, or it is no bare state dict.
    """
    held = load_restricted(path)
    if not held or not all(isinstance(v, Tensor) for v in held.values()):
        raise WeightsError(f"{path}: not a bare state dict of tensors; pass the released checkpoint.")
    return {k: v for k, v in held.items() if not k.startswith("clip_model.")}


def config_of(options: dict[str, str], state: dict[str, Tensor], where: Path) -> MotionClipConfig:
    """`paper` with the sizes that the tensors have; the number of heads is in opt.yaml alone.

    Raises: FormatError for an option that is no number; WeightsError for a network that is not the released one.
    """
    try:
        heads = int(options.get("num_heads", "4"))
        frames = int(options.get("num_frames", "60"))
    except ValueError:
        raise FormatError(f"{where}/opt.yaml: num_heads or num_frames is no whole number.") from None
    try:
        width, channels = state["encoder.skelEmbedding.weight"].shape
        feed = state["encoder.seqTransEncoder.layers.0.linear1.weight"].shape[0]
    except (KeyError, IndexError, ValueError) as error:
        raise WeightsError(f"{where}: the checkpoint lacks {error}; expected MotionCLIP's auto-encoder.") from None
    layers = len([k for k in state if re.fullmatch(r"encoder\.seqTransEncoder\.layers\.\d+\.linear1\.weight", k)])
    if channels != 150 or heads < 1 or width % heads:
        raise WeightsError(
            f"{where}: {channels} numbers per frame and width {width} with {heads} heads; expected 150 (24 rotations "
            "of six, and the row of translation) and a width that the heads divide."
        )
    network = replace(PAPER.network, latent=width, width=width, layers=layers, heads=heads, feedforward=feed)
    window = min(max(1, frames), PAPER.max_frames)
    return replace(
        PAPER, network=network, text=replace(PAPER.text, width=width), windows=(window,), released_place=True
    )


def import_weights(folder: Path, out: Path) -> dict[str, Any]:
    """Write a released folder as a checkpoint folder. Returns: facts for the command to print."""
    system = load_released(folder)
    count = sum(p.numel() for p in system.module("autoencoder").parameters())
    system.save(out, card=CARD)
    return {
        "system": "motionclip", "source": str(checkpoint_in(Path(folder))), "out": str(out), "parameters": count,
        "needs": "the text encoder of its training (CLIP ViT-B/32): --text-encoder PATH",
    }  # fmt: skip


CARD = """# MotionCLIP, imported

Weights of Tevet et al. 2022, converted by `laban import-weights motionclip`. Their terms are their owner's, and those
of AMASS and BABEL, on which they were trained. Texts are encoded by CLIP ViT-B/32, which is not in this folder.
"""
