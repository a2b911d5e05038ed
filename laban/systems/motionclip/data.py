"""Training batches: windows of clips with their captions, and latents of clips for the prior.

A sampler is a function of a random generator and nothing else, so a resumed run draws the same batches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from laban.errors import InputError
from laban.motion import kinematics
from laban.motion.motion import Motion
from laban.motion.skeletons import HUMANML22
from laban.systems.motionclip import representation
from laban.systems.motionclip.config import MotionClipConfig

if TYPE_CHECKING:
    from laban.data.corpus import Corpus, Record

SAMPLE = 400  # clips whose frames make the statistics
EXAMPLES = 6000  # windows whose principal components begin training


def usable(corpus: Corpus, split: str, config: MotionClipConfig) -> list[Record]:
    """The captioned clips of a split that are long enough. InputError if there is none."""
    if corpus.layout.joints != 22:
        raise InputError(f"motionclip: the corpus has {corpus.layout.joints} joints, expected HumanML3D's 22.")
    least = config.min_frames * corpus.fps / config.fps
    records = [r for r in corpus.select(split) if r.captions and r.length >= least]
    if not records:
        raise InputError(
            f"motionclip: split {split!r} has no clip with a caption and at least {least:.0f} frames; "
            "prepare more data or set a smaller min_frames."
        )
    return records


def captions(corpus: Corpus, config: MotionClipConfig) -> list[str]:
    """The different captions of the training clips, sorted."""
    return sorted({c for r in usable(corpus, "train", config) for c in r.captions})


def vocabulary(corpus: Corpus) -> dict[str, Any]:
    """What recognition and captioning choose from: {"classes": action -> its shortest caption, without the
    style where the clips have one; "phrases": all captions of the training split, sorted}. Mirror images, whose words
    are mirrored too, make phrases and no classes.
    """
    classes: dict[str, str] = {}
    phrases: set[str] = set()
    for record in corpus.select("train"):
        phrases.update(record.captions)
        label = record.labels.get("action") or record.labels.get("content")
        if label and record.captions and record.mirror_of is None:
            bare = [c.split(", ")[0] if "style" in record.labels else c for c in record.captions]
            shortest = min(bare, key=lambda c: (len(c), c))
            if label not in classes or (len(shortest), shortest) < (len(classes[label]), classes[label]):
                classes[label] = shortest
    return {"classes": dict(sorted(classes.items())), "phrases": sorted(phrases)}


def frames_of(corpus: Corpus, records: Sequence[Record], config: MotionClipConfig) -> list[np.ndarray]:
    """(T, J + 1, 6) float32 per record at the configuration's rate."""
    rows = config.network.joints
    if abs(corpus.fps - config.fps) > 1e-6:
        return [_resampled(np.asarray(corpus.joints(r), np.float64), corpus.fps, config.fps, rows) for r in records]
    clips: list[np.ndarray] = []
    group: list[np.ndarray] = []
    for record in [*records, None]:
        if record is not None:
            group.append(np.asarray(corpus.joints(record)))
        if record is None or sum(map(len, group)) > representation.AT_ONCE:
            if group:
                found = representation.from_joints(np.concatenate(group), rows)
                clips += [part.copy() for part in np.split(found, np.cumsum([len(g) for g in group])[:-1])]
            group = []
    return clips


def _resampled(joints: np.ndarray, fps: float, wanted: float, rows: int) -> np.ndarray:
    turns, root = kinematics.fit(HUMANML22, joints)
    motion = Motion(HUMANML22, turns, root, fps).resample(wanted)
    return representation.pack(motion.rotations, motion.root, rows)


def statistics(corpus: Corpus, config: MotionClipConfig) -> dict[str, np.ndarray]:
    """Mean (C,) of the channels over windows of training clips, and a std (C,) that is one number for all rotations,
    one for the way along the ground and one for the height: a hinge's other channels hardly move, and its own noise
    would weigh as much as a leg's swing. Channels that are nothing have std 1.
    """
    records = usable(corpus, "train", config)
    chosen = [records[i] for i in np.unique(np.linspace(0, len(records) - 1, SAMPLE).astype(int))]
    longest = max(config.windows)
    clips = frames_of(corpus, chosen, config)
    flat = [torch.from_numpy(representation.rerooted(c[:longest]))[None].flatten(2) for c in clips]
    if config.network.travel == "steps":
        flat = [representation.travel_apart(f) for f in flat]
    rows = torch.cat(flat, 1)[0].numpy().astype(np.float64)
    variance = rows.var(0)
    std = np.ones_like(variance)
    width = config.network.channels
    for group in (list(range(width - 6)), [width - 6, width - 4], [width - 5]):
        moving = variance[group][variance[group] > 1e-8]
        std[group] = max(float(np.sqrt(moving.mean())), 1e-3) if len(moving) else 1.0
    return {"mean": rows.mean(0).astype(np.float32), "std": std.astype(np.float32)}


def examples(corpus: Corpus, config: MotionClipConfig) -> list[np.ndarray]:
    """Windows of training clips, of all the lengths that training takes, always the same ones."""
    records = usable(corpus, "train", config)
    rng = np.random.default_rng(0)
    picks = rng.permutation(len(records))[: EXAMPLES // 2]
    windows = []
    for clip in frames_of(corpus, [records[i] for i in picks], config):
        for _ in range(2):
            size = min(len(clip), int(rng.choice(config.windows)))
            start = int(rng.integers(len(clip) - size + 1))
            windows.append(representation.rerooted(clip[start : start + size]))
    return windows


class WindowSampler:
    """Windows of clips.

    A batch: motion (B, T, J + 1, 6), valid (B, T) bool, caption (B,) number of one of the clip's captions, targets
    (B, C) the clip's captions as a distribution, captions (C, W) unit vectors of all captions, share (B,) how much
    the caption counts; image (B, W) and seen (B,) where there are pictures.

    Clips are drawn with their weights, but those of a batch of long windows have similar lengths: the clips, in order
    of length, are cut into blocks at a random offset, a block is drawn, and the batch comes from that block.
    """

    def __init__(
        self,
        records: Sequence[Record],
        clips: Sequence[np.ndarray],
        captions: dict[str, int],
        vectors: Tensor,
        config: MotionClipConfig,
        images: dict[str, Tensor] | None = None,
    ) -> None:
        order = np.argsort([len(c) for c in clips], kind="stable")
        self.records = [records[i] for i in order]
        self.clips = [clips[i] for i in order]
        self.config = config
        self.vectors = vectors
        self.captions = [[captions[c] for c in r.captions] for r in self.records]
        self.images = images
        count = Counter(r.captions[0] for r in self.records)
        weights = np.array([count[r.captions[0]] ** -config.balance for r in self.records])
        self.weights = weights / weights.sum()
        self.median = len(self.clips[len(self.clips) // 2])

    def __call__(self, rng: np.random.Generator, batch_size: int) -> dict[str, Tensor]:
        config = self.config
        window = config.windows[int(rng.integers(len(config.windows)))]
        picks = self._draw(rng, batch_size, alike=window > self.median)
        lengths = [min(len(self.clips[i]), window) for i in picks]
        motion = np.zeros((batch_size, max(lengths), config.network.joints + 1, 6), np.float32)
        valid = np.zeros(motion.shape[:2], bool)
        targets = torch.zeros(batch_size, len(self.vectors))
        share, caption = np.zeros(batch_size, np.float32), []
        for b, (i, n, dice) in enumerate(zip(picks, lengths, rng.random((batch_size, 2)), strict=True)):
            start = int(dice[0] * (len(self.clips[i]) - n + 1))
            motion[b, :n] = representation.rerooted(self.clips[i][start : start + n])
            valid[b, :n] = True
            part = n / len(self.clips[i])
            share[b] = part if part >= config.coverage else 0.0
            own = self.captions[i]
            targets[b, own] = 1 / len(own)
            caption.append(own[int(dice[1] * len(own))])
        batch = {
            "motion": torch.from_numpy(motion), "valid": torch.from_numpy(valid), "targets": targets,
            "caption": torch.tensor(caption), "share": torch.from_numpy(share), "captions": self.vectors,
        }  # fmt: skip
        if self.images is not None:
            batch |= self._pictures(rng, picks)
        return batch

    def _draw(self, rng: np.random.Generator, batch_size: int, *, alike: bool) -> np.ndarray:
        count = len(self.clips)
        if not alike:
            return rng.choice(count, size=batch_size, p=self.weights)
        block = min(count, max(4 * batch_size, count // 8))
        anchor = int(rng.choice(count, p=self.weights))
        offset = int(rng.integers(block))
        base = (anchor - offset) // block * block + offset
        start, stop = max(0, base), min(count, base + block)
        weights = self.weights[start:stop]
        return rng.choice(stop - start, size=batch_size, p=weights / weights.sum()) + start

    def _pictures(self, rng: np.random.Generator, picks: np.ndarray) -> dict[str, Tensor]:
        """One view of each clip that has pictures."""
        assert self.images is not None
        width = self.vectors.shape[1]
        image, seen = torch.zeros(len(picks), width), torch.zeros(len(picks))
        for b, (i, dice) in enumerate(zip(picks, rng.random(len(picks)), strict=True)):
            views = self.images.get(self.records[i].id)
            if views is not None:
                image[b], seen[b] = views[int(dice * len(views))], 1.0
        return {"image": image, "seen": seen}


class LatentSampler:
    """{"latent": (B, L), "text": (B, W) unit, "frames": (B,)}: latents of windows of clips, each with a caption.

    Args:
        encode: (B, T, J + 1, 6), (B, T) bool -> (B, L).
    """

    def __init__(
        self, windows: WindowSampler, encode: Callable[[Tensor, Tensor], Tensor], draws: int, batch_size: int = 64
    ) -> None:
        self.vectors, self.captions = windows.vectors, windows.captions
        config = windows.config
        rng = np.random.default_rng(0)
        latents, frames, owners = [], [], []
        for draw in range(draws):
            longest = max(config.windows)
            for at in range(0, len(windows.clips), batch_size):
                part = range(at, min(at + batch_size, len(windows.clips)))
                cuts = []
                for i in part:
                    clip = windows.clips[i]
                    n = min(len(clip), longest)
                    if draw:  # the first draw is of whole clips, others are of most of one
                        n = max(min(len(clip), config.min_frames), int(n * rng.uniform(0.6, 1.0)))
                    start = int(rng.integers(len(clip) - n + 1))
                    cuts.append(representation.rerooted(clip[start : start + n]))
                latents.append(encode(*padded(cuts)))
                frames += [len(c) for c in cuts]
                owners += list(part)
        self.latents = torch.cat(latents)
        self.frames = torch.tensor(frames)
        self.owners = owners
        weights = windows.weights[owners]
        self.weights = weights / weights.sum()

    def __call__(self, rng: np.random.Generator, batch_size: int) -> dict[str, Tensor]:
        picks = rng.choice(len(self.owners), size=batch_size, p=self.weights)
        own = [self.captions[self.owners[i]] for i in picks]
        said = [c[int(dice * len(c))] for c, dice in zip(own, rng.random(batch_size), strict=True)]
        return {"latent": self.latents[picks], "text": self.vectors[said], "frames": self.frames[picks]}


def padded(windows: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
    """Windows of different lengths as (B, T, J + 1, 6) and (B, T) bool."""
    longest = max(len(w) for w in windows)
    motion = np.zeros((len(windows), longest, *windows[0].shape[1:]), np.float32)
    valid = np.zeros((len(windows), longest), bool)
    for b, w in enumerate(windows):
        motion[b, : len(w)], valid[b, : len(w)] = w, True
    return torch.from_numpy(motion), torch.from_numpy(valid)
