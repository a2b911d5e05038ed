"""`opt.txt` of the released MoMask folders: `key: value` lines between two rulers.

The released parser leaves much as text: `None` stays the word "None", lists stay text, 1e-5 stays text. Here every
value is text until someone asks for it as a number, and then it must be one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from laban.config import nearest
from laban.errors import FormatError

LIMIT = 1 << 20
"""Largest options file that is read, bytes."""

TOKENIZER_KEYS = frozenset(
    "code_dim nb_code output_emb_width down_t stride_t width depth dilation_growth_rate vq_act vq_norm num_quantizers "
    "shared_codebook quantize_dropout_prob mu".split()
)
TRANSFORMER_KEYS = frozenset("latent_dim ff_size n_layers n_heads dropout cond_drop_prob vq_name share_weight".split())
# What the training script was told, and what evaluation adds; none of it changes what the networks compute.
TRAINING_KEYS = frozenset(
    "name dataset_name checkpoints_dir gpu_id device seed ext is_train is_continue which_epoch data_root motion_dir "
    "text_dir meta_dir model_dir log_dir eval_dir save_root vis_dir dim_pose joints_num num_tokens fps radius "
    "kinematic_chain batch_size num_batch window_size max_epoch max_motion_length max_motion_frame max_motion_token "
    "unit_length min_motion_length max_text_len lr lr_scheduler milestones gamma warm_up_iter weight_decay commit "
    "loss_vel recons_loss feat_bias clip_version force_mask gumbel_sample log_every save_latest save_every_e "
    "eval_every_e eval_on num_workers".split()
)
KNOWN = TOKENIZER_KEYS | TRANSFORMER_KEYS | TRAINING_KEYS


@dataclass(frozen=True)
class ReleasedOptions:
    """The options of one folder. `values` are texts."""

    path: Path
    values: dict[str, str]

    def has(self, key: str) -> bool:
        """Whether the file has this key."""
        return key in self.values

    def text(self, key: str) -> str:
        """FormatError if the key is absent or empty."""
        if not self.values.get(key):
            raise FormatError(f"{self.path}: key {key!r} is missing; expected 'key: value' lines as the trainer wrote.")
        return self.values[key]

    def whole(self, key: str, low: int, high: int) -> int:
        """A whole number from low to high, or FormatError."""
        text = self.text(key)
        if not re.fullmatch(r"[+-]?\d{1,12}", text) or not low <= int(text) <= high:
            raise FormatError(f"{self.path}: {key} is {text!r}, expected a whole number from {low} to {high}.")
        return int(text)

    def number(self, key: str, low: float, high: float) -> float:
        """A number from low to high, or FormatError."""
        text = self.text(key)
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise FormatError(f"{self.path}: {key} is {text!r}, expected a number from {low:g} to {high:g}.")
        return value

    def flag(self, key: str) -> bool:
        """True or False, or FormatError."""
        return self.one_of(key, ("True", "False")) == "True"

    def one_of(self, key: str, allowed: tuple[str, ...]) -> str:
        """One of these texts, or FormatError."""
        text = self.text(key)
        if text not in allowed:
            raise FormatError(f"{self.path}: {key} is {text!r}; laban reads only {' or '.join(map(repr, allowed))}.")
        return text


def read_options(path: Path, ignore: Iterable[str] = ()) -> ReleasedOptions:
    """Read an opt.txt.

    Args:
        path: the file.
        ignore: keys that may stand in it although laban does not know them.
    Raises: FormatError if it cannot be read, has a line that is no option, a key twice, or a key that is unknown:
        it might be one that changes the network.
    """
    try:
        if path.stat().st_size > LIMIT:
            raise FormatError(f"{path}: is larger than {LIMIT} bytes; expected a short list of options.")
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"{path}: cannot be read ({error}); expected a text file of options.") from None
    values: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if not line or line.startswith("---"):
            continue
        key, colon, value = line.partition(":")
        key = key.strip()
        if not colon or not key:
            raise FormatError(f"{path}, line {number}: got {line[:60]!r}, expected 'key: value'.")
        if key in values:
            raise FormatError(f"{path}, line {number}: key {key!r} stands there twice; remove one.")
        values[key] = value.strip()
    for key in values:
        if key not in KNOWN and key not in ignore:
            near = nearest(key, KNOWN)
            raise FormatError(
                f"{path}: unknown key {key[:60]!r}{f' (nearest: {near!r})' if near else ''}; it might change the "
                "network. If it does not, pass --ignore-option with it."
            )
    return ReleasedOptions(path, values)
