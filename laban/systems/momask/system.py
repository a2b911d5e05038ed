"""MoMask as a system: four networks trained in order, and generation from text to Motion."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from laban.data.batch import LengthSampler
from laban.errors import InputError
from laban.motion import humanml, legs
from laban.motion.motion import Motion, Segment
from laban.motion.skeletons import HUMANML22, KIT21
from laban.motion.stretch import TokenGrid
from laban.nn.frozen import FrozenTokenizer
from laban.nn.length import LengthEstimator, draw_lengths
from laban.nn.modes import evaluating
from laban.nn.sampling import generators
from laban.nn.tokenizer import Tokenizer
from laban.systems.capabilities import EstimatesLength, Inpaints, MakesMotion, Steers
from laban.systems.codebooks import ShipsCodebooks
from laban.systems.momask import data, sampling
from laban.systems.momask.condition import Condition
from laban.systems.momask.config import PRESETS, MoMaskConfig
from laban.systems.momask.losses import TokenizerLoss
from laban.systems.momask.masked import MaskedTransformer
from laban.systems.momask.residual import ResidualTransformer
from laban.systems.options import check_sampling, check_seed, check_texts, options_of
from laban.systems.requests import Stretch, TextRequest
from laban.systems.schedule import Sampler, StageSchedule
from laban.systems.texts import ReadsText

if TYPE_CHECKING:
    from laban.condition.text import TextEncoder
    from laban.data.corpus import Corpus

STAGES = ("tokenizer", "masked", "residual", "length")
INPAINTING_GUIDANCE = 2.0  # of the residual layers, as released


@dataclass(frozen=True)
class GenerationOptions:
    """Options of `MoMask.generate`; the first five are the configuration's where they are not given.

    Attributes:
        steps: rounds of the masked transformer.
        guidance: classifier-free guidance scale of the base layer; 1: none.
        residual_guidance: the same in the residual layers.
        temperature: of the base layer; below 1, likelier tokens.
        residual_temperature: the same in the residual layers.
        clean: run `laban.motion.cleanup.clean` on the result.
        precision: "32", or "bf16" for the transformers' matrix products: faster where the processor has units for it
            (AMX, CUDA), slower where it has not, and not the same motions.
        base_only: decode the first token of each place alone, without the residual layers (to measure them).
    """

    steps: int
    guidance: float
    residual_guidance: float
    temperature: float
    residual_temperature: float
    clean: bool = False
    precision: str = "32"
    base_only: bool = False


class MoMask(ReadsText, MakesMotion, Inpaints, EstimatesLength, Steers, ShipsCodebooks):
    """Text to motion.

    Args:
        config: see config.py.
        stats: "mean" and "std" (W,) of the features, in their own unit.
        text_encoder: what turns prompts and captions into features; None: as `config.text.encoder` says.
    """

    name: ClassVar[str] = "momask"
    config_class: ClassVar[type] = MoMaskConfig
    presets: ClassVar[Mapping[str, MoMaskConfig]] = PRESETS
    sweeps = ("steps", "guidance", "base_only", "precision", "clean")
    config: MoMaskConfig

    def __init__(self, config: MoMaskConfig, stats: Mapping[str, Any], text_encoder: TextEncoder | None = None) -> None:
        super().__init__(config, stats)
        self.layout = humanml.layout_of(config.tokenizer.feature_width)
        for key in ("mean", "std"):
            if key not in self.stats or self.stats[key].shape != (self.layout.width,):
                raise InputError(f"momask: stats need {key!r} of shape ({self.layout.width},), as a corpus gives them.")
        bias = torch.ones(self.layout.width)
        for columns in (self.layout.yaw_rate, self.layout.root_velocity, self.layout.root_height, self.layout.contacts):
            bias[columns] = config.feature_bias
        self.mean = self.stats["mean"].float()
        self.std = self.stats["std"].float() / bias
        self.tokenizer = Tokenizer(config.tokenizer)
        self.tokenizer_loss = TokenizerLoss(config.tokenizer_loss, self.layout, self.mean, self.std)
        self.masked = MaskedTransformer(config)
        self.residual = ResidualTransformer(config)
        self.length = LengthEstimator(config.text.width, config.length.widths, config.max_tokens, config.length.dropout)
        self._text_encoder = text_encoder
        self._wanted_encoder: str | None = None  # fingerprint that the weights were trained with
        self._tokens: dict[tuple[str, str, str], list[list[np.ndarray]]] = {}

    # Text

    def describe(self) -> dict[str, Any]:
        """The text encoder's fingerprint, if it has been used."""
        return self.text_facts()

    def verify(self, facts: Mapping[str, Any]) -> None:
        """Remembers the text encoder that the weights belong to; it is compared when it is first needed."""
        self.remember_text(facts)

    # Training

    def stages(self) -> tuple[str, ...]:
        """tokenizer, masked, residual, length."""
        return STAGES

    def module(self, stage: str) -> nn.Module:
        """The network of a stage."""
        if stage not in STAGES:
            raise InputError(f"momask: unknown stage {stage!r}; expected one of {', '.join(STAGES)}.")
        return {
            "tokenizer": self.tokenizer, "masked": self.masked, "residual": self.residual, "length": self.length
        }[stage]  # fmt: skip

    def requires(self, stage: str) -> tuple[str, ...]:
        """The transformers need the tokenizer; the length estimator needs only the data."""
        return ("tokenizer",) if stage in ("masked", "residual") else ()

    def schedule(self, stage: str) -> StageSchedule:
        """From the configuration."""
        return {
            "tokenizer": self.config.tokenizer_schedule,
            "masked": self.config.masked_schedule,
            "residual": self.config.residual_schedule,
            "length": self.config.length_schedule,
        }[stage]

    def begin(self, stage: str) -> None:
        """Transformers with a local trunk start from the tokenizer's codes."""
        module = self.module(stage)
        if isinstance(module, MaskedTransformer | ResidualTransformer) and module.local:
            codes = self.tokenizer.quantizer.tables().detach()
            module.begin(codes[0] if stage == "masked" else codes)

    def sampler(self, stage: str, corpus: Corpus, split: str) -> Sampler:
        """Batches of a stage, see data.py. The transformers' clips are turned into tokens here, once.

        Raises: InputError if the split has nothing to train on or the features are of another layout.
        """
        if corpus.mean.shape != (self.layout.width,):
            raise InputError(
                f"momask: the corpus has {corpus.mean.shape[0]} feature columns, the model {self.layout.width}."
            )
        config = self.config
        if stage == "tokenizer":
            energy = config.energy if split == "train" else 0.0  # validation is of the data as it is
            return data.WindowSampler(
                corpus, split, config.windows, self.mean, self.std, energy, config.rarity if energy else 0.0
            )
        records = data.captioned(corpus, split, config)
        captions = [c for r in records for c in r.captions]
        words = config.text.tokens and stage != "length"
        bank = data.CaptionBank(captions, self.text_encoder, tokens=words, longest=config.text.max_tokens)
        if stage == "length":
            return LengthSampler(records, bank, config.balance, config.tokenizer.stride, config.max_tokens)
        return data.TokenSampler(records, self._tokenized(corpus, split, records), bank, config)

    def _tokenized(self, corpus: Corpus, split: str, records: Sequence[Any]) -> list[list[np.ndarray]]:
        """Tokens of these clips, kept so that the second transformer need not encode them again."""
        state = hashlib.sha256()
        for name, value in self.tokenizer.state_dict().items():
            state.update(name.encode() + value.detach().cpu().contiguous().numpy().tobytes())
        key = (corpus.fingerprint, split, state.hexdigest())
        if key not in self._tokens:
            self._tokens = {k: v for k, v in self._tokens.items() if k[2] == key[2]}
            every = [
                data.tokenize(corpus, records, self.tokenizer, self.mean, self.std, tempo=tempo)
                for tempo in (self.config.tempi if split == "train" else (1.0,))
            ]
            self._tokens[key] = [[phase for tempo in clip for phase in tempo] for clip in zip(*every, strict=True)]
        return self._tokens[key]

    def loss(self, stage: str, batch: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Named scalars of one batch, as the sampler of the stage draws it."""
        if stage == "tokenizer":
            return self.tokenizer_loss(self.tokenizer(batch["motion"], generator), batch["motion"])
        if stage == "length":
            pooled = Condition(batch["pooled"])
            if self.length.training:
                pooled = pooled.noisy(self.config.text, generator)
            return self.length.loss(pooled.pooled, batch["tokens"])
        condition = Condition(batch["pooled"], batch.get("words"), batch.get("word_valid"))
        if self.module(stage).training:
            condition = condition.noisy(self.config.text, generator)
        if stage == "masked":
            codes = batch["codes"][..., 0]
            place = batch["place"] if self.masked.local else None
            return self.masked.loss(codes, batch["valid"], condition, generator, place)
        return self.residual.loss(batch["codes"], batch["valid"], condition, generator)

    # Generation

    @torch.no_grad()
    def generate(
        self, requests: Sequence[TextRequest], seed: int, *, first_index: int = 0, **options: Any
    ) -> list[Motion]:
        """One motion per request.

        Args:
            requests: texts, each with seconds in (0, max_frames / fps] or None for an estimated length.
            seed: sample i draws from a generator seeded by (seed, first_index + i) alone.
            first_index: number of the first sample.
            options: fields of `GenerationOptions`; None, or not given: the configuration's.
        Returns: motions at the configuration's fps on the layout's skeleton, each as long as was asked to the
            nearest frame, each with one segment and a passport that `replay` takes.
        Raises: InputError naming the request or option that is out of range.
        """
        chosen = options_of(GenerationOptions, "momask.generate", options, self.config.sampling)
        check_texts("momask.generate", requests, self.config.max_frames / self.config.fps)
        check_seed("momask.generate", seed, first_index)
        check_sampling("momask.generate", asdict(chosen))
        if not requests:
            return []
        with self.still():
            return self._generate(requests, seed, first_index, chosen)

    def replay(self, passport: Mapping[str, Any]) -> Motion:
        """The motion of a passport, made again.

        Raises: InputError if the passport lacks something; WeightsError if it names other weights.
        """
        request, seed, index, options = self.recalled(passport)
        chosen = passport.get("selection")
        if chosen is None:
            return self.generate([request], seed, first_index=index, **options)[0]
        # Drawn together with others: together again, since sums depend on the batch in their last bits.
        drawn = chosen.get("drawn") if isinstance(chosen, Mapping) else None
        if not isinstance(drawn, int) or not 0 <= index < drawn <= 1024:
            raise InputError(f"momask.replay: the passport's selection is {chosen!r}, expected the number drawn.")
        motion = self.generate([request] * drawn, seed, **options)[index]
        return replace(motion, passport=dict(passport))

    @torch.no_grad()
    def reconstruct(self, features: np.ndarray) -> Motion:
        """Through the tokenizer and back: the most that generation can reach.

        Args:
            features: (T, W) of a clip, not normalised, T at least one token.
        Returns: the motion of the whole tokens, T // stride * stride frames, made as generated ones are.
        """
        values = (torch.from_numpy(np.array(features, np.float32)) - self.mean) / self.std
        codes = self.tokenizer.encode(values[None].to(self.device))
        return self._motion(self.tokenizer.decode(codes)[0], "", {})

    @cached_property
    def frozen(self) -> FrozenTokenizer:  # type: ignore[override]
        """The tokenizer, not to be trained any more."""
        return FrozenTokenizer(self.tokenizer, self.mean, self.std)

    @property
    def grid(self) -> TokenGrid:
        """The configuration's frames, tokens and longest clip."""
        return TokenGrid(self.config.fps, self.config.tokenizer.stride, self.config.max_tokens)

    def inpainting_options(self) -> dict[str, Any]:
        """The configuration's, but guidance of the residual layers as released."""
        chosen = self.config.sampling
        return {
            "steps": chosen.steps, "guidance": chosen.guidance,
            "residual_guidance": min(chosen.residual_guidance, INPAINTING_GUIDANCE), "temperature": chosen.temperature,
            "residual_temperature": chosen.residual_temperature,
        }  # fmt: skip

    @torch.no_grad()
    def inpaint(
        self, features: np.ndarray, stretch: Stretch, seed: int, *, first_index: int = 0, samples: int = 1,
        options: Mapping[str, Any],
    ) -> list[np.ndarray]:  # fmt: skip
        """Features of a stretch, made between those that stay; see `Inpaints`.

        Raises: InputError for an option that is out of range.
        """
        check_seed("momask.inpaint", seed, first_index)
        check_sampling("momask.inpaint", options)
        config, stride = self.config, self.config.tokenizer.stride
        values = torch.from_numpy(features.astype(np.float32))
        known = self.tokenizer.encode(((values - self.mean) / self.std)[None].to(self.device))
        tokens = known.shape[1]
        inside = torch.zeros(1, tokens, dtype=torch.bool, device=self.device)
        inside[:, stretch.first // stride : stretch.last // stride] = True
        condition = Condition.of(self.text_encoder.encode([stretch.text]), config.text, self.device)
        condition = condition.select([0] * samples)
        known, inside = known.repeat(samples, 1, 1), inside.repeat(samples, 1)
        sources, lengths = generators(seed, samples, first_index), [tokens] * samples
        chosen = config.sampling
        base = sampling.SamplingOptions(options["guidance"], options["temperature"], chosen.filter)
        upper = sampling.SamplingOptions(options["residual_guidance"], options["residual_temperature"], chosen.filter)
        one, every = sampling.Inpainting(known[..., 0], inside), sampling.Inpainting(known, inside)
        codes = sampling.sample_base(self.masked, condition, lengths, sources, options["steps"], base, one)
        codes = sampling.sample_residual(
            self.residual, codes, condition, lengths, sources, upper, pad_class=chosen.pad_class, inpainting=every
        )
        decoded = self.tokenizer.decode(codes).float().cpu() * self.std + self.mean
        return list(decoded[:, stretch.first : stretch.last].numpy().astype(np.float64))

    def preview(self, seed: int) -> list[Motion]:
        """Three motions to look at, once the tokenizer and both transformers are trained."""
        if not {"tokenizer", "masked", "residual"} <= self.provenance.trained:
            return []
        texts = ("a person walks forward", "a person raises the right hand", "a person turns left")
        return self.generate(
            [TextRequest(text, min(4.0, self.config.max_frames / self.config.fps)) for text in texts], seed
        )

    def _generate(
        self, requests: Sequence[TextRequest], seed: int, first_index: int, options: GenerationOptions
    ) -> list[Motion]:
        config, chosen = self.config, self.config.sampling
        sources = generators(seed, len(requests), first_index)
        features = self.text_encoder.encode([r.text for r in requests])
        condition = Condition.of(features, config.text, self.device)
        frames, tokens = self._lengths(requests, condition.pooled, sources)
        base = sampling.SamplingOptions(options.guidance, options.temperature, chosen.filter)
        upper = sampling.SamplingOptions(options.residual_guidance, options.residual_temperature, chosen.filter)
        motions: dict[int, Motion] = {}
        order = sorted(range(len(requests)), key=lambda i: tokens[i])
        for at in range(0, len(order), chosen.batch):
            part = order[at : at + chosen.batch]
            lengths, rngs = [tokens[i] for i in part], [sources[i] for i in part]
            conditions = condition.select(part)
            with torch.autocast(self.device.type, torch.bfloat16, enabled=options.precision == "bf16"):
                codes = sampling.sample_base(self.masked, conditions, lengths, rngs, options.steps, base)
                if options.base_only:
                    codes = codes[..., None]
                else:
                    codes = sampling.sample_residual(
                        self.residual, codes, conditions, lengths, rngs, upper, pad_class=chosen.pad_class
                    )
            decoded = sampling.decode_ragged(self.tokenizer, codes, lengths)
            for row, i in enumerate(part):
                passport = self.passport(
                    requests[i],
                    seed,
                    index=first_index + i,
                    frames=frames[i],
                    fps=config.fps,
                    options=asdict(options),
                    text_encoder=self.text_encoder.fingerprint,
                    understood=round(float(features.known[i]), 3),
                )
                motion = self._motion(decoded[row][: frames[i]], requests[i].text, passport)
                motions[i] = motion
        ready = [motions[i] for i in range(len(requests))]
        if options.clean:
            from laban.motion import cleanup

            ready = [cleanup.clean(m) for m in ready]
        return ready

    @torch.no_grad()
    def seconds_of(self, text: str, seed: int, index: int = 0) -> float:
        """Seconds that a sentence lasts, drawn by the sample's own generator."""
        pooled = Condition.of(self.text_encoder.encode([text]), self.config.text, self.device).pooled
        with evaluating([self.length]):
            logits = self.length(pooled)
        [tokens] = draw_lengths(logits, generators(seed, 1, index), self.config.sampling.length)
        return tokens * self.config.tokenizer.stride / self.config.fps

    def _lengths(
        self, requests: Sequence[TextRequest], pooled: Tensor, sources: Sequence[torch.Generator]
    ) -> tuple[list[int], list[int]]:
        """Frames and tokens of each request, estimated where none was asked for."""
        stride = self.config.tokenizer.stride
        frames = [0 if r.seconds is None else max(1, round(r.seconds * self.config.fps)) for r in requests]
        open_ = [i for i, r in enumerate(requests) if r.seconds is None]
        if open_:
            logits = self.length(pooled[open_])
            guesses = draw_lengths(logits, [sources[i] for i in open_], self.config.sampling.length)
            for i, guess in zip(open_, guesses, strict=True):
                frames[i] = guess * stride
        return frames, [-(-f // stride) for f in frames]

    def _motion(self, features: Tensor, text: str, passport: dict[str, Any]) -> Motion:
        """(T, W) normalised features -> a motion."""
        values = (features.float().cpu() * self.std + self.mean).numpy().astype(np.float64)
        frames = len(values)
        joints = humanml.decode(values, self.layout) * self.layout.unit
        skeleton = HUMANML22 if self.layout is humanml.HUMANML else KIT21
        fps = self.config.fps
        segments = (Segment(text, 0.0, frames / fps),)
        motion = Motion.from_joints(joints, fps, skeleton, segments=segments, passport=passport)
        return legs.plant(motion, joints)
