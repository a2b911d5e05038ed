"""GODIVA as a system: frame tokenizer, decoder and score trained in order, and generation from text to Video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from laban.errors import InputError, ShapeError
from laban.io.frames import Video
from laban.nn.sampling import generators
from laban.systems.capabilities import MakesVideo
from laban.systems.codebooks import ShipsCodebooks
from laban.systems.godiva import sampling
from laban.systems.godiva.config import PRESETS, GodivaConfig
from laban.systems.godiva.data import FrameSampler, VideoSampler, check_source
from laban.systems.godiva.decoder import Decoder
from laban.systems.godiva.score import Score
from laban.systems.godiva.tokenizer import FrameTokenizer
from laban.systems.godiva.words import START, Reading, Vocabulary, vocabulary
from laban.systems.options import GUIDANCE, TEMPERATURE, TOP_K, check_sampling, check_seed, options_of
from laban.systems.requests import TextRequest
from laban.systems.schedule import Sampler, StageSchedule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from laban.data.videos import VideoSource

STAGES = ("tokenizer", "decoder", "score")
BOUNDS = {"top_k": TOP_K, "temperature": TEMPERATURE, "guidance": GUIDANCE}
BATCH = 16  # videos that pass through the tokenizer or the score at once


class Godiva(MakesVideo, ShipsCodebooks):
    """Text to a small video.

    Args:
        config: see config.py.
        stats: "mean" and "std" (C,) of pixels in 0 to 1.
    """

    name: ClassVar[str] = "godiva"
    skeleton = None
    config_class: ClassVar[type] = GodivaConfig
    presets: ClassVar[Mapping[str, GodivaConfig]] = PRESETS
    config: GodivaConfig

    def __init__(self, config: GodivaConfig, stats: Mapping[str, Any]) -> None:
        super().__init__(config, stats)
        channels = config.frames.channels
        for key in ("mean", "std"):
            if key not in self.stats or self.stats[key].shape != (channels,):
                raise InputError(
                    f"godiva: stats need {key!r} of shape ({channels},), as a source of videos with {channels} "
                    "channels gives them; set frames.channels as the data are."
                )
        self.vocabulary = Vocabulary(config.text.words, config.text.max_words)
        self.tokenizer = FrameTokenizer(config.frames, config.coder)
        self.decoder = Decoder(config)
        self.score = Score(config)

    # Training

    @classmethod
    def open_data(cls, path: Path, config: GodivaConfig) -> VideoSource:
        """MNIST (a .tar or folder of idx files) as moving digits, or a folder or list of shards of clips."""
        from laban.data import shards
        from laban.data.corpora.mnist import MovingDigits

        path = Path(path)
        if not path.exists():
            raise InputError(f"{path}: no such file or folder; expected mnist.tar, or shards of `laban data prepare`.")
        if path.is_dir() and not shards.is_shards(path) and not any(path.rglob("*-idx?-ubyte*")):
            raise InputError(
                f"{path}: holds neither shards of clips nor MNIST's idx files. Give mnist.tar, or what "
                "`laban data prepare` made of msrvtt, howto100m or renders to its end."
            )
        if shards.is_shards(path):
            return shards.ShardedVideos.open(path, config.frames.count, config.frames.size, config.frames.channels)
        return MovingDigits.open(path, config.digits)

    @classmethod
    def create(cls, preset: str | Any, corpus: VideoSource, settings: Iterable[str] = ()) -> Self:  # type: ignore[override]
        """As every system; the vocabulary is that of the data's captions unless `text.words` is set."""
        config, name = cls.configured(preset, settings)
        check_source(corpus, config.frames)
        if not config.text.words:
            config = replace(config, text=replace(config.text, words=vocabulary(corpus.captions())))
        system = cls(config, {"mean": corpus.mean, "std": corpus.std})
        system.provenance.preset = name
        return system

    def stages(self) -> tuple[str, ...]:
        """tokenizer, decoder, score."""
        return STAGES

    def module(self, stage: str) -> nn.Module:
        """The network of a stage."""
        if stage not in STAGES:
            raise InputError(f"godiva: unknown stage {stage!r}; expected one of {', '.join(STAGES)}.")
        return {"tokenizer": self.tokenizer, "decoder": self.decoder, "score": self.score}[stage]

    def requires(self, stage: str) -> tuple[str, ...]:
        """The decoder needs the tokenizer; the score sees pixels."""
        return ("tokenizer",) if stage == "decoder" else ()

    def schedule(self, stage: str) -> StageSchedule:
        """From the configuration."""
        return {
            "tokenizer": self.config.tokenizer_schedule,
            "decoder": self.config.decoder_schedule,
            "score": self.config.score_schedule,
        }[stage]

    def sampler(self, stage: str, corpus: VideoSource, split: str) -> Sampler:  # type: ignore[override]
        """Batches of a stage, see data.py. Raises: InputError for videos of another size, or none in the split."""
        check_source(corpus, self.config.frames)
        if stage == "tokenizer":
            return FrameSampler(corpus, split)
        if stage == "decoder":
            self.decoder.take(self.tokenizer.codebook)
        prefixes = self.config.prefixes if stage == "decoder" and split == "train" else ()
        return VideoSampler(corpus, split, self.config, prefixes)

    def loss(self, stage: str, batch: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Named scalars of one batch, as the sampler of the stage draws it."""
        if stage == "tokenizer":
            return self.tokenizer.loss(self.normalise(batch["frames"]), generator)
        videos = self.normalise(batch["videos"])
        if stage == "score":
            return self.score.loss(videos, batch["words"], batch["valid"])
        words, valid = batch["words"], batch["valid"]
        blank = self.config.text.dropout
        if blank and (self.decoder.training or blank == 1):
            keep = torch.rand(len(words), generator=generator, device=words.device) >= blank
            valid = valid & (keep[:, None] | (words == START))
        nll = self.decoder.nll(self.encode(videos), words, valid)
        first = nll.detach()[:, 0].mean()
        return {"loss": nll.mean(), "first_frame": first}

    # Pixels and tokens

    def normalise(self, pixels: Tensor) -> Tensor:
        """(..., C, S, S) uint8 -> float32, zero mean and unit deviation."""
        mean, std = (self.stats[k].to(pixels.device).reshape(-1, 1, 1) for k in ("mean", "std"))
        return (pixels.float() / 255 - mean) / std

    def pixels(self, frames: Tensor) -> np.ndarray:
        """(..., C, S, S) normalised -> (..., S, S, C) uint8."""
        mean, std = (self.stats[k].to(frames.device).reshape(-1, 1, 1) for k in ("mean", "std"))
        values = ((frames.float() * std + mean) * 255).round().clamp(0, 255).to(torch.uint8)
        return values.movedim(-3, -1).cpu().numpy()

    @torch.no_grad()
    def encode(self, videos: Tensor) -> Tensor:
        """(B, L, C, S, S) normalised -> (B, L, h, w) int64 codes."""
        with torch.autocast(videos.device.type, enabled=False):  # the codes must not depend on the precision
            codes = self.tokenizer.encode(videos.flatten(0, 1))
        return codes.reshape(*videos.shape[:2], *self.config.grid[1:])

    @torch.no_grad()
    def decode(self, codes: Tensor) -> np.ndarray:
        """(B, L, h, w) int64 codes -> (B, L, S, S, C) uint8."""
        return np.stack([self.pixels(self.tokenizer.decode(video)) for video in codes])

    @torch.no_grad()
    def round_trip(self, videos: np.ndarray) -> np.ndarray:
        """(B, L, S, S, C) uint8 through the tokenizer and back, the same."""
        parts = [videos[at : at + BATCH] for at in range(0, len(videos), BATCH)]
        return np.concatenate([self.decode(self.encode(self.normalise(self.tensor(part)))) for part in parts])

    @torch.no_grad()
    def likelihood(self, videos: np.ndarray, captions: Sequence[str], batch: int = 8) -> np.ndarray:
        """(B,) negative log-likelihood, nats per token, of videos (B, L, S, S, C) uint8 under captions."""
        found = []
        for at in range(0, len(videos), batch):
            words, valid = self.words(captions[at : at + batch])
            codes = self.encode(self.normalise(self.tensor(videos[at : at + batch])))
            found.append(self.decoder.nll(codes, words, valid).flatten(1).mean(1).cpu().numpy())
        return np.concatenate(found)

    @torch.no_grad()
    def rate(self, videos: np.ndarray, captions: Sequence[str]) -> np.ndarray:
        """(B,) our own text-video score, a cosine, of videos (B, L, S, S, C) uint8 and their captions."""
        found = []
        for at in range(0, len(videos), BATCH):
            words, valid = self.words(captions[at : at + BATCH])
            seen = self.score.embed_videos(self.normalise(self.tensor(videos[at : at + BATCH])))
            found.append((seen * self.score.embed_texts(words, valid)).sum(-1).cpu().numpy())
        return np.concatenate(found)

    def tensor(self, videos: np.ndarray) -> Tensor:
        """(B, L, S, S, C) uint8 -> (B, L, C, S, S) on the device."""
        frames = self.config.frames
        expected = (frames.size, frames.size, frames.channels)
        if videos.ndim != 5 or videos.shape[2:] != expected or not 1 <= videos.shape[1] <= frames.count:
            raise ShapeError(
                f"godiva: videos have shape {videos.shape}, expected (B, up to {frames.count}, *{expected})."
            )
        return torch.from_numpy(np.ascontiguousarray(videos.transpose(0, 1, 4, 2, 3))).to(self.device)

    def words(self, captions: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Word ids (B, N) int64 and valid (B, N) bool."""
        words = torch.tensor(self.vocabulary.pack(captions), dtype=torch.int64, device=self.device)
        return words, words != 0

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(L, S, S, C) of the configuration's frames."""
        frames = self.config.frames
        return frames.count, frames.size, frames.size, frames.channels

    @property
    def known_words(self) -> tuple[str, ...]:
        """The vocabulary, from the training captions."""
        return self.config.text.words

    def reading(self, caption: str) -> Reading:
        """What the model understands of a caption: unknown words, and those beyond the longest caption."""
        return self.vocabulary.read(caption)

    # Generation

    @torch.no_grad()
    def generate(
        self,
        requests: Sequence[TextRequest],
        seed: int,
        *,
        given: np.ndarray | None = None,
        first_index: int = 0,
        progress: Callable[[int, int], None] | None = None,
        **options: Any,
    ) -> list[Video]:
        """One video per request.

        Args:
            requests: texts; seconds None or the model's own length.
            seed: sample i draws from a generator seeded by (seed, first_index + i) alone, whatever the batch.
            first_index: number of the first sample.
            options: fields of `sampling.SamplingOptions`; None, or not given: the configuration's.
            given: (l, S, S, C) uint8, first frames that every video goes on from, l below the model's count.
            progress: called with tokens done and tokens in all.
        Returns: videos of `config.frames`, each with a passport that `replay` takes (given frames apart).
        Raises: InputError naming the request or option that is out of range.
        """
        chosen = options_of(sampling.SamplingOptions, "godiva.generate", options, self.config.sampling)
        self._check(requests, given)
        check_seed("godiva.generate", seed, first_index)
        check_sampling("godiva.generate", asdict(chosen), BOUNDS)
        if chosen.guidance != 1 and not self.config.text.dropout:
            raise InputError(
                f"godiva.generate: guidance is {chosen.guidance:g}, and this model never saw an empty caption "
                "(text.dropout is 0). Leave guidance out, or use a model that did."
            )
        if not requests:
            return []
        with self.still():
            return self._generate(requests, seed, first_index, chosen, given, progress)

    def replay(self, passport: Mapping[str, Any]) -> Video:
        """The video of a passport, made again.

        Raises: InputError if the passport lacks something or had given frames; WeightsError for other weights.
        """
        if passport.get("given_frames"):
            raise InputError("godiva.replay: the video went on from given frames; pass these to generate.")
        request, seed, index, options = self.recalled(passport)
        return self.generate([request], seed, first_index=index, **options)[0]

    def preview(self, seed: int) -> list[Video]:
        """Four videos to look at, once tokenizer and decoder are trained."""
        if not {"tokenizer", "decoder"} <= self.provenance.trained or not self.config.text.words:
            return []
        texts = ["digit 3 is moving up then down", "digit 7 is moving left then right", "digit 0 moves right then left",
                 "digit 1 moves left and right while digit 4 moves up and down"]  # fmt: skip
        known = [t for t in texts if self.reading(t).understood == 1]
        return self.generate([TextRequest(t) for t in known], seed) if known else []

    def counts_are_used(self) -> bool:
        """Yes, where codes cost what their rarity costs."""
        return self.config.coder.rate > 0

    def _generate(
        self, requests: Sequence[TextRequest], seed: int, first_index: int, options: sampling.SamplingOptions,
        given: np.ndarray | None, progress: Callable[[int, int], None] | None,
    ) -> list[Video]:  # fmt: skip
        config, sources = self.config, generators(seed, len(requests), first_index)
        readings = [self.reading(r.text) for r in requests]
        head = None if given is None else self.encode(self.normalise(self.tensor(given[None])))
        total = -(-len(requests) // config.sampling.batch) * config.tokens
        videos: list[Video] = []
        for n, at in enumerate(range(0, len(requests), config.sampling.batch)):
            part = slice(at, at + config.sampling.batch)
            words, valid = self.words([r.text for r in requests[part]])
            codes = sampling.sample(
                self.decoder, words, valid, sources[part], options,
                given=None if head is None else head.expand(len(words), -1, -1, -1),
                progress=None if progress is None else partial(_advance, progress, n * config.tokens, total),
            )  # fmt: skip
            pixels = self.decode(codes)
            if given is not None:
                pixels[:, : len(given)] = given
            for row, request, reading in zip(pixels, requests[part], readings[part], strict=True):
                passport = self.passport(
                    request, seed, index=first_index + len(videos), frames=config.frames.count, fps=config.frames.fps,
                    options=asdict(options), given_frames=0 if given is None else len(given),
                    understood=round(reading.understood, 3),
                )  # fmt: skip
                videos.append(Video(row, config.frames.fps, request.text, passport))
        return videos

    def _check(self, requests: Sequence[TextRequest], given: np.ndarray | None) -> None:
        frames = self.config.frames
        length = frames.count / frames.fps
        for n, request in enumerate(requests, start=1):
            if not isinstance(request.text, str) or not request.text.strip():
                raise InputError(f"godiva.generate: request {n} has an empty text; say what is to be seen.")
            if request.seconds is not None and not abs(request.seconds - length) < 1e-6:
                raise InputError(
                    f"godiva.generate: seconds is {request.seconds:g}; this model makes {frames.count} frames, "
                    f"{length:g} s. Leave seconds out."
                )
        if given is not None:
            expected = (frames.size, frames.size, frames.channels)
            if given.ndim != 4 or given.shape[1:] != expected or not 1 <= len(given) < frames.count:
                raise InputError(
                    f"godiva.generate: given frames have shape {given.shape}, expected (1 to {frames.count - 1}, "
                    f"*{expected}) uint8."
                )


def _advance(progress: Callable[[int, int], None], before: int, total: int, done: int) -> None:
    progress(before + done, total)
