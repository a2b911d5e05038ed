"""The text-motion co-embedding of Guo et al. 2022 (T2M), importable from the released `finest.tar`.

All sizes are read off the tensors. Source: Guo et al. 2022 (CVPR) and its release (EricGuo5513/text-to-motion).
Deviation: none at evaluation; dropout, which only training used, is left out.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from laban.errors import ShapeError, WeightsError
from laban.io.torch_archives import load_restricted, state_of

SLOPE = 0.2
CONTACTS = 4  # the last columns of the features, which the evaluator never sees
PARTS = ("movement_encoder", "motion_encoder", "text_encoder")


class MovementEncoder(nn.Module):
    """Features to snippets a quarter as long: (B, T, pose) -> (B, T // 4, latent)."""

    def __init__(self, pose: int, hidden: int, latent: int) -> None:
        super().__init__()
        self.pose, self.hidden = pose, hidden
        self.main = nn.Sequential(
            OrderedDict(
                [
                    ("0", nn.Conv1d(pose, hidden, 4, 2, 1)),
                    ("2", nn.LeakyReLU(SLOPE)),
                    ("3", nn.Conv1d(hidden, latent, 4, 2, 1)),
                    ("5", nn.LeakyReLU(SLOPE)),
                ]
            )
        )
        self.out_net = nn.Linear(latent, latent)

    def forward(self, features: Tensor) -> Tensor:
        return self.out_net(self.main(features.transpose(1, 2)).transpose(1, 2))


class SequenceEncoder(nn.Module):
    """A sequence of vectors to one: linear, bidirectional GRU with a learned first state, two linear layers.

    The text encoder adds an embedding of the word class to its input; the motion encoder has none.
    """

    def __init__(self, width: int, hidden: int, middle: int, out: int, classes: int | None = None) -> None:
        super().__init__()
        self.out = out
        if classes is not None:
            self.pos_emb = nn.Linear(classes, width)
        self.input_emb = nn.Linear(width, hidden)
        self.gru = nn.GRU(hidden, hidden, batch_first=True, bidirectional=True)
        self.output_net = nn.Sequential(
            nn.Linear(2 * hidden, middle), nn.LayerNorm(middle), nn.LeakyReLU(SLOPE), nn.Linear(middle, out)
        )
        self.hidden = nn.Parameter(torch.zeros(2, 1, hidden))

    def forward(self, values: Tensor, lengths: Tensor, classes: Tensor | None = None) -> Tensor:
        """(B, N, width), (B,) lengths from 1 to N in any order -> (B, out) in the order given."""
        if classes is not None:
            values = values + self.pos_emb(classes)
        packed = pack_padded_sequence(self.input_emb(values), lengths.cpu(), batch_first=True, enforce_sorted=False)
        _, last = self.gru(packed, self.hidden.expand(-1, len(values), -1).contiguous())
        return self.output_net(torch.cat([last[0], last[1]], dim=-1))


class T2MEvaluator:
    """The three networks, ready to embed.

    Attributes:
        pose: width of the features that it takes, the four contact columns included (263 or 251).
        unit: frames per snippet, 4.
    """

    def __init__(self, movement: MovementEncoder, motion: SequenceEncoder, text: SequenceEncoder) -> None:
        self.movement, self.motion, self.text = movement, motion, text
        for network in (movement, motion, text):
            network.eval().requires_grad_(False)
        self.pose = movement.pose + CONTACTS
        self.unit = 4

    @torch.inference_mode()
    def embed_motions(self, features: Tensor, lengths: Tensor) -> Tensor:
        """Embeddings of motions, in the order given (the released wrapper returns them sorted by length).

        Args:
            features: (B, T, 263) normalised with the evaluator's own mean and deviation; rows after a clip's end are
                seen by the convolution's edge, so pad with zeros.
            lengths: (B,) frames, 4 to T; a remainder of T mod 4 is not seen.
        Returns: (B, D) float32.
        Raises: ShapeError for another width or lengths that do not fit.
        """
        if features.ndim != 3 or features.shape[-1] != self.pose or not len(features):
            raise ShapeError(
                f"evaluator.embed_motions: features have shape {tuple(features.shape)}, expected (B, T, {self.pose}). "
                "Pass normalised features of the corpus that the evaluator was trained on."
            )
        _check_lengths("evaluator.embed_motions", lengths, len(features), self.unit, features.shape[1])
        snippets = self.movement(features[..., :-CONTACTS].float())
        return self.motion(snippets, lengths // self.unit)

    @torch.inference_mode()
    def embed_texts(self, words: Tensor, classes: Tensor, lengths: Tensor) -> Tensor:
        """Embeddings of captions, in the order given.

        Args:
            words: (B, N, 300) GloVe vectors.
            classes: (B, N, 15) one-hot word classes. See released_words.py.
            lengths: (B,) words, `sos` and `eos` included, 1 to N.
        Returns: (B, D) float32.
        Raises: ShapeError for other widths or lengths that do not fit.
        """
        wanted = (self.text.pos_emb.out_features, self.text.pos_emb.in_features)
        whole = (*words.shape[:2], *wanted)
        if words.ndim != 3 or not len(words) or whole != (*classes.shape[:2], words.shape[-1], classes.shape[-1]):
            raise ShapeError(
                f"evaluator.embed_texts: words {tuple(words.shape)} and classes {tuple(classes.shape)}, expected "
                f"(B, N, {wanted[0]}) and (B, N, {wanted[1]}). Embed the words with released_words."
            )
        _check_lengths("evaluator.embed_texts", lengths, len(words), 1, words.shape[1])
        return self.text(words.float(), lengths, classes.float())

    @classmethod
    def load(cls, path: str | Path) -> T2MEvaluator:
        """From the released `text_mot_match/model/finest.tar`. Nothing but tensors and plain values is unpickled.

        Raises: WeightsError if the file cannot be read that way, or a tensor is missing, left over, not finite or of
            an impossible shape.
        """
        return cls.from_tensors(read_released(path), str(path))

    @classmethod
    def from_tensors(cls, parts: Mapping[str, Mapping[str, Tensor]], name: str = "evaluator") -> T2MEvaluator:
        """From the state of the three networks, by the names of the released file."""
        try:
            conv, second = parts[PARTS[0]]["main.0.weight"], parts[PARTS[0]]["main.3.weight"]
            movement = MovementEncoder(conv.shape[1], conv.shape[0], second.shape[0])
            made = []
            for part in PARTS[1:]:
                state = parts[part]
                hidden, width = state["input_emb.weight"].shape
                middle, out = state["output_net.0.weight"].shape[0], state["output_net.3.weight"].shape[0]
                classes = state["pos_emb.weight"].shape[1] if part == PARTS[2] else None
                made.append(SequenceEncoder(width, hidden, middle, out, classes))
            for module, part in zip((movement, *made), PARTS, strict=True):
                module.load_state_dict(dict(parts[part]))
        except (KeyError, IndexError, ValueError, RuntimeError, TypeError, AttributeError) as error:
            said = " ".join(str(error).split())
            raise WeightsError(f"{name}: not the T2M evaluator's tensors ({said}). Pass its finest.tar.") from None
        return cls(movement, made[0], made[1])


def read_released(path: str | Path) -> dict[str, dict[str, Tensor]]:
    """The three state dicts of a released file; its other entries (epoch) are left.

    Raises: WeightsError if it cannot be read with torch's restricted loader, or a part is absent.
    """
    path = Path(path)
    content = load_restricted(path)
    return {part: state_of(content, (part,), path) for part in PARTS}


def _check_lengths(where: str, lengths: Tensor, count: int, least: int, most: int) -> None:
    fits = lengths.shape == (count,) and not lengths.is_floating_point()
    if not fits or int(lengths.min()) < least or int(lengths.max()) > most:
        raise ShapeError(f"{where}: lengths {lengths.tolist()[:5]}, expected {count} integers from {least} to {most}.")
