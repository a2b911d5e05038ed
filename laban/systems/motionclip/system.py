"""MotionCLIP as a system: the auto-encoder, the prior, and generation from text through the latent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from laban import config as configuration
from laban.errors import InputError
from laban.motion.motion import Motion, Segment
from laban.systems.capabilities import Embeds, MakesMotion
from laban.systems.motionclip import data, generation, representation
from laban.systems.motionclip.compact import CompactAutoencoder
from laban.systems.motionclip.config import PRESETS, MotionClipConfig
from laban.systems.motionclip.losses import AutoencoderLoss
from laban.systems.motionclip.prior import Prior
from laban.systems.motionclip.released.network import ReleasedAutoencoder
from laban.systems.options import check_sampling, check_seed, check_texts, options_of
from laban.systems.requests import TextRequest
from laban.systems.schedule import Sampler, StageSchedule
from laban.systems.texts import ReadsText

if TYPE_CHECKING:
    from laban.condition.text import TextEncoder
    from laban.data.corpus import Corpus

AT_ONCE = 64  # windows per forward pass


class MotionCLIP(ReadsText, MakesMotion, Embeds):
    """A space of motion with language in it.

    Args:
        config: see config.py.
        stats: "mean" and "std" (C,) of the channels; "text_mean" (W,) where the text is centred.
        text_encoder: what turns words into vectors; None: as `config.text.encoder` says.
    """

    name: ClassVar[str] = "motionclip"
    config_class: ClassVar[type] = MotionClipConfig
    presets: ClassVar[Mapping[str, MotionClipConfig]] = PRESETS
    config: MotionClipConfig

    def __init__(
        self, config: MotionClipConfig, stats: Mapping[str, Any], text_encoder: TextEncoder | None = None
    ) -> None:
        super().__init__(config, stats)
        net = config.network
        for key, width in (("mean", net.channels), ("std", net.channels), ("text_mean", config.text.width)):
            if key not in self.stats or self.stats[key].shape != (width,):
                raise InputError(f"motionclip: stats need {key!r} of shape ({width},), as `create` makes them.")
        self.mean, self.std = self.stats["mean"].float(), self.stats["std"].float()
        self.autoencoder = ReleasedAutoencoder(net) if net.kind == "released" else CompactAutoencoder(net)
        self.prior = Prior(config.prior, net.latent, config.text.width) if config.prior else None
        self.measure = AutoencoderLoss(config.loss, net)
        self._text_encoder = text_encoder
        self._wanted_encoder: str | None = None  # fingerprint that the weights were trained with
        self.vocabulary: dict[str, Any] = {"classes": {}, "phrases": []}  # of the training captions, see data.py
        self._clips: tuple[str, list[Any], list[np.ndarray]] | None = None

    @classmethod
    def create(cls, preset: str | Any, corpus: Corpus, settings: Iterable[str] = ()) -> Self:
        """As every system; the statistics are those of this representation, and of the captions' vectors."""
        known = cls.presets.get(preset) if isinstance(preset, str) else preset
        if known is None:
            return super().create(preset, corpus, settings)  # which says what is wrong
        config = configuration.override(known, settings)
        stats = data.statistics(corpus, config)
        stats["text_mean"] = np.zeros(config.text.width, np.float32)
        system = cls(config, stats)
        if config.text.centre:
            pooled = system.text_encoder.encode(data.captions(corpus, config)).pooled.float()
            stats["text_mean"] = pooled.mean(0).cpu().numpy()
            system = cls(config, stats, system.text_encoder)
        system.provenance.preset = preset if isinstance(preset, str) else None
        system.vocabulary = data.vocabulary(corpus)
        if isinstance(system.autoencoder, CompactAutoencoder):
            frames, valid = data.padded(data.examples(corpus, config))
            weight = representation.importance(config.network.joints, system.std)
            texts = system.embed_texts(data.captions(corpus, config))
            system.autoencoder.start(system._entered(frames), valid, weight, texts)
        return system

    # Text

    def describe(self) -> dict[str, Any]:
        """The text encoder's fingerprint, if it has been used, and the words of the training captions."""
        return {**self.text_facts(), "vocabulary": self.vocabulary}

    def verify(self, facts: Mapping[str, Any]) -> None:
        """Remembers the text encoder that the weights belong to; it is compared when it is first needed."""
        self.remember_text(facts)
        self.vocabulary = facts.get("vocabulary") or self.vocabulary

    def text_directions(self, texts: Sequence[str]) -> Tensor:
        """(N, G) unit vectors of texts, to compare with `directions` of motions.

        Raises: InputError for an empty text.
        """
        return self.directions(self.embed_texts(texts))

    @torch.no_grad()
    def directions(self, latents: Tensor) -> Tensor:
        """(N, L) latents or texts -> (N, G) unit vectors of what language can say of them.

        The compact network's language part alone: a text's remainder lies beside it, among the dimensions that tell
        one such motion from another. Released: the whole latent.
        """
        if isinstance(self.autoencoder, CompactAutoencoder):
            latents = latents @ self.autoencoder.language_axes.T.to(latents.device)
        return F.normalize(latents, dim=-1)

    @property
    def direction_width(self) -> int:
        """G, the length of a direction."""
        network = self.config.network
        return network.language if network.kind == "compact" else network.latent

    @torch.no_grad()
    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """(N, W) unit vectors of texts in the latent's space.

        Raises: InputError for an empty text.
        """
        return self.direction_of(self.text_encoder.encode(list(texts)).pooled.float())

    def text_latents(self, texts: Sequence[str], frames: int) -> Tensor:
        """(N, L) the latent that each text stands for, at a length: the prior's, from no noise. Without a prior, the
        text's own vector, as released.
        """
        pooled = self.text_encoder.encode(list(texts)).pooled.float()
        if self.prior is None or self.config.prior is None:
            return pooled
        count, width = len(pooled), self.config.network.latent
        with self.still():
            return self.prior.sample(
                self.direction_of(pooled).to(self.device), torch.full((count,), frames, device=self.device),
                torch.zeros(count, width, device=self.device), self.config.prior.steps, 1.0,
            ).cpu()  # fmt: skip

    def direction_of(self, pooled: Tensor) -> Tensor:
        """The text encoder's vectors (N, W), centred where the configuration says so, at unit length."""
        if self.config.text.centre:
            pooled = pooled - self.stats["text_mean"].to(pooled.device)
        return F.normalize(pooled, dim=-1)

    # Latents

    @torch.no_grad()
    def encode_frames(self, frames: Tensor, valid: Tensor) -> Tensor:
        """(B, T, J + 1, 6) and (B, T) bool -> (B, latent) on the CPU; the network is used as it is (mode, device)."""
        return self.autoencoder.encode(self._entered(frames).to(self.device), valid.to(self.device)).float().cpu()

    def encode_windows(self, windows: Sequence[np.ndarray]) -> Tensor:
        """(N, latent) of windows (T, J + 1, 6) of any lengths up to max_frames. Windows of like length go together."""
        longest = self.config.max_frames
        for w in windows:
            if not 1 <= len(w) <= longest:
                raise InputError(f"motionclip: a window has {len(w)} frames, expected 1 to {longest}; cut the clip.")
        out = torch.zeros(len(windows), self.config.network.latent)
        order = sorted(range(len(windows)), key=lambda i: len(windows[i]))
        with self.still():
            for at in range(0, len(order), AT_ONCE):
                part = order[at : at + AT_ONCE]
                out[part] = self.encode_frames(*data.padded([windows[i] for i in part]))
        return out

    def frames_of(self, motion: Motion) -> np.ndarray:
        """A humanoid motion as (T, J + 1, 6) at the model's rate, not cut.

        Raises: InputError if its joints are not recognised.
        """
        frames = representation.of_motion(motion, self.config.fps, self.config.network.joints)
        return representation.as_released(frames) if self.config.released_place else frames

    def encode(self, motions: Sequence[Motion]) -> Tensor:
        """(N, latent). A motion longer than max_frames is an InputError: encode its windows."""
        return self.encode_windows([self.frames_of(m) for m in motions])

    @torch.no_grad()
    def decode(self, latents: Tensor, frames: Sequence[int]) -> list[np.ndarray]:
        """Latents (N, latent) -> N arrays (T, J + 1, 6), rotations not orthonormal. Each is decoded alone."""
        out = []
        with self.still():
            for latent, count in zip(latents, frames, strict=True):
                valid = torch.ones(1, count, dtype=torch.bool, device=self.device)
                made = self._left(self.autoencoder.decode(latent[None].to(self.device), valid))[0]
                out.append(made.unflatten(-1, (-1, 6)).float().cpu().numpy())
        return out

    def motions(self, latents: Tensor, frames: Sequence[int], **fields: Any) -> list[Motion]:
        """Latents (N, latent) -> N motions of so many frames at the model's rate."""
        made = self.decode(latents, frames)
        if self.config.released_place:
            made = [representation.upright(m) for m in made]
        found = [representation.to_motion(m, self.config.fps, **fields) for m in made]
        return [representation.grounded(m) for m in found] if self.config.released_place else found

    def _entered(self, frames: Tensor) -> Tensor:
        """(B, T, J + 1, 6) as the network sees it, (B, T, C)."""
        flat = representation.travel_apart(frames.flatten(2)) if self._steps else frames.flatten(2)
        return (flat - self.mean.to(flat.device)) / self.std.to(flat.device) if self.config.loss.standardise else flat

    def _left(self, made: Tensor) -> Tensor:
        """The inverse of `_entered`, flat: (B, T, C)."""
        if self.config.loss.standardise:
            made = made * self.std.to(made.device) + self.mean.to(made.device)
        return representation.travel_together(made.float()) if self._steps else made

    @property
    def _steps(self) -> bool:
        return self.config.network.travel == "steps"

    # Training

    def stages(self) -> tuple[str, ...]:
        """autoencoder and, where there is one, prior."""
        return ("autoencoder", "prior") if self.prior is not None else ("autoencoder",)

    def module(self, stage: str) -> nn.Module:
        """The network of a stage."""
        found = {"autoencoder": self.autoencoder, "prior": self.prior}.get(stage)
        if found is None:
            raise InputError(f"motionclip: unknown stage {stage!r}; expected one of {', '.join(self.stages())}.")
        return found

    def schedule(self, stage: str) -> StageSchedule:
        """From the configuration."""
        return self.config.autoencoder_schedule if stage == "autoencoder" else self.config.prior_schedule

    def sampler(self, stage: str, corpus: Corpus, split: str) -> Sampler:
        """Batches of a stage, see data.py. The prior's clips are encoded here, once.

        Raises: InputError if the split has nothing to train on.
        """
        records = data.usable(corpus, split, self.config)
        captions = {c: i for i, c in enumerate(sorted({c for r in records for c in r.captions}))}
        windows = data.WindowSampler(
            records, self._prepared(corpus, split, records), captions, self.embed_texts(list(captions)), self.config,
            self._pictures(),
        )  # fmt: skip
        if stage == "autoencoder":
            return windows
        assert self.prior is not None and self.config.prior is not None
        with self.still():
            sampler = data.LatentSampler(
                windows, self.encode_frames, self.config.prior.draws if split == "train" else 1
            )
        if split == "train":
            self.prior.adopt(sampler.latents)
        return sampler

    def _prepared(self, corpus: Corpus, split: str, records: list[Any]) -> list[np.ndarray]:
        """Frames of these clips; the training split's are kept, so that the prior need not find them again."""
        key = f"{corpus.fingerprint} {split}"
        if self._clips is not None and self._clips[0] == key:
            return self._clips[2]
        clips = data.frames_of(corpus, records, self.config)
        if split == "train":
            self._clips = (key, records, clips)
        return clips

    def _pictures(self) -> dict[str, Tensor] | None:
        if not self.config.image_features:
            return None
        from laban.systems.motionclip.pictures import read_features

        return {k: self.direction_of(v) for k, v in read_features(self.config.image_features).items()}

    def loss(self, stage: str, batch: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Named scalars of one batch, as the sampler of the stage draws it."""
        if stage == "prior":
            assert self.prior is not None
            return self.prior.loss(batch, generator)
        entered = self._entered(batch["motion"])
        latent = self.autoencoder.encode(entered, batch["valid"])
        noise = self.config.loss.latent_noise
        shown = latent
        if noise and self.autoencoder.training:
            size = noise * latent.detach().norm(dim=-1, keepdim=True) / latent.shape[-1] ** 0.5
            shown = latent + size * torch.randn(latent.shape, generator=generator, device=latent.device)
        made = self.autoencoder.decode(shown, batch["valid"])
        return self.measure((made, entered), self._left(made), latent, batch, generator)

    # Generation

    @torch.no_grad()
    def generate(
        self,
        requests: Sequence[TextRequest],
        seed: int,
        *,
        first_index: int = 0,
        **options: Any,
    ) -> list[Motion]:
        """One motion per request.

        Args:
            requests: texts, each with seconds in (0, max_frames / fps] or None for the usual length.
            seed: sample i draws from a generator seeded by (seed, first_index + i) alone.
            first_index: number of the first sample.
            options: fields of `generation.GenerationOptions`; None, or not given: the configuration's.
        Returns: motions at the configuration's fps, each with one segment and a passport.
        Raises: InputError naming the request or option that is out of range.
        """
        chosen = options_of(generation.GenerationOptions, "motionclip.generate", options, self.config.prior)
        self._check(requests, seed, first_index, chosen)
        if not requests:
            return []
        features = self.text_encoder.encode([r.text for r in requests])
        pooled = features.pooled.float()
        texts = pooled if self.prior is None else self.direction_of(pooled).to(self.device)
        with self.still():
            latents, frames = generation.imagine(self.config, self.prior, requests, texts, seed, first_index, chosen)
        motions = []
        for i, request in enumerate(requests):
            passport = self.passport(
                request, seed, index=first_index + i, frames=frames[i], fps=self.config.fps, options=asdict(chosen),
                text_encoder=self.text_encoder.fingerprint, understood=round(float(features.known[i]), 3),
            )  # fmt: skip
            segments = (Segment(request.text, 0.0, frames[i] / self.config.fps),)
            motions += self.motions(latents[i : i + 1], [frames[i]], segments=segments, passport=passport)
        if chosen.clean:
            motions = [generation.cleaned(m) for m in motions]
        return motions

    def _check(
        self, requests: Sequence[TextRequest], seed: int, first_index: int, options: generation.GenerationOptions
    ) -> None:
        where, chosen = "motionclip.generate", {"steps": options.steps, "guidance": options.guidance}
        check_texts(where, requests, self.config.max_frames / self.config.fps)
        check_seed(where, seed, first_index)
        if self.config.prior is not None:
            check_sampling(where, chosen)
        elif any(value is not None for value in chosen.values()):
            raise InputError(f"{where}: these weights have no prior, so neither steps nor guidance.")

    def replay(self, passport: Mapping[str, Any]) -> Motion:
        """The motion of a passport, made again.

        Raises: InputError if the passport lacks something; WeightsError if it names other weights.
        """
        request, seed, index, options = self.recalled(passport)
        return self.generate([request], seed, first_index=index, **options)[0]

    def preview(self, seed: int) -> list[Motion]:
        """Three motions to look at, once everything is trained."""
        if not set(self.stages()) <= self.provenance.trained or self.config.text.encoder != "shipped":
            return []
        texts = ("a person walks forward", "a person raises the right hand", "a person turns left")
        return self.generate([TextRequest(t, min(4.0, self.config.max_frames / self.config.fps)) for t in texts], seed)
