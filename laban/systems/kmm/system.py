"""KMM as a system: three networks over a shared tokenizer, and long motion from a script, whole or as a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from laban.data.batch import CaptionBank, LengthSampler
from laban.errors import InputError, WeightsError
from laban.motion.motion import Motion
from laban.nn.frozen import FrozenTokenizer
from laban.nn.length import LengthEstimator, draw_lengths
from laban.nn.modes import evaluating
from laban.nn.sampling import generators
from laban.systems.capabilities import Composes, EstimatesLength, MakesMotion, Steers
from laban.systems.kmm import data, generation, placing
from laban.systems.kmm.blocks import SamplingOptions
from laban.systems.kmm.config import PRESETS, KMMConfig
from laban.systems.kmm.networks import MaskedModel, ResidualModel
from laban.systems.kmm.script import Counted, Line, checked_line, parsed
from laban.systems.options import SEED, check_sampling, check_seed, options_of
from laban.systems.registry import locate
from laban.systems.requests import TextRequest
from laban.systems.schedule import Sampler, StageSchedule
from laban.systems.texts import ReadsText

if TYPE_CHECKING:
    from laban.condition.text import TextEncoder
    from laban.data.corpus import Corpus

STAGES = ("masked", "residual", "length")


class KMM(ReadsText, MakesMotion, Composes, EstimatesLength, Steers):
    """A script of texts to long motion.

    Args:
        config: see config.py.
        stats: "mean" and "std" (W,) of the features of the training data. The tokenizer has its own.
        text_encoder: what turns lines and captions into features; None: as `config.text.encoder` says.
    Raises: WeightsError if the folder that `config.tokenizer_from` names holds no motion tokenizer.
    """

    name: ClassVar[str] = "kmm"
    config_class: ClassVar[type] = KMMConfig
    presets: ClassVar[Mapping[str, KMMConfig]] = PRESETS
    config: KMMConfig

    def __init__(self, config: KMMConfig, stats: Mapping[str, Any], text_encoder: TextEncoder | None = None) -> None:
        super().__init__(config, stats)
        if config.random_tokenizer is not None:
            self.frozen = FrozenTokenizer.random(config.random_tokenizer, self.stats["mean"], self.stats["std"])
        else:
            self.frozen = FrozenTokenizer.load(locate(config.tokenizer_from))
        self.layout = self.frozen.layout
        for key in ("mean", "std"):
            if key not in self.stats or self.stats[key].shape != (self.layout.width,):
                raise InputError(f"kmm: stats need {key!r} of shape ({self.layout.width},), as a corpus gives them.")
        self.masked = MaskedModel(config, self.frozen)
        self.residual = ResidualModel(config, self.frozen)
        self.length = LengthEstimator(
            config.text.width, config.length.widths, config.length.most, config.length.dropout
        )
        self._text_encoder = text_encoder
        self._wanted_encoder: str | None = None
        self._pools: dict[tuple[str, str], list[data.TokenSequence]] = {}

    # Text

    def describe(self) -> dict[str, Any]:
        """The tokenizer's origin and digest, and the text encoder's fingerprint if it has been used."""
        origin = "random" if self.config.random_tokenizer is not None else self.config.tokenizer_from
        return {**self.text_facts(), "tokenizer": {"from": origin, "digest": self.frozen.digest}}

    def verify(self, facts: Mapping[str, Any]) -> None:
        """Raises WeightsError unless the tokenizer that is there is the one of the weights."""
        self.remember_text(facts)
        wanted = (facts.get("tokenizer") or {}).get("digest")
        if wanted not in (None, self.frozen.digest):
            raise WeightsError(
                f"kmm: these weights were trained on tokenizer {wanted[:12]} of {facts['tokenizer'].get('from')!r}, "
                f"the one found is {self.frozen.digest[:12]}; restore that model, or train kmm again."
            )

    def to(self, device: str | torch.device) -> KMM:
        """Every network and the tokenizer."""
        super().to(device)
        self.frozen.to(self.device)
        return self

    # Training

    def stages(self) -> tuple[str, ...]:
        """masked, residual, length. The tokenizer is trained with MoMask."""
        return STAGES

    def module(self, stage: str) -> nn.Module:
        """The network of a stage."""
        if stage not in STAGES:
            raise InputError(f"kmm: unknown stage {stage!r}; expected one of {', '.join(STAGES)}.")
        return {"masked": self.masked, "residual": self.residual, "length": self.length}[stage]

    def requires(self, stage: str) -> tuple[str, ...]:
        """No stage needs another."""
        return ()

    def schedule(self, stage: str) -> StageSchedule:
        """From the configuration."""
        return {
            "masked": self.config.masked_schedule,
            "residual": self.config.residual_schedule,
            "length": self.config.length_schedule,
        }[stage]

    def sampler(self, stage: str, corpus: Corpus, split: str) -> Sampler:
        """Crops of long sequences, see data.py; the sequences are made here, once."""
        if corpus.mean.shape != (self.layout.width,):
            raise InputError(
                f"kmm: the corpus has {corpus.mean.shape[0]} feature columns, the tokenizer {self.layout.width}."
            )
        if stage == "length":
            records = data.usable(corpus, split, self.config)
            bank = CaptionBank([c for r in records for c in r.captions], self.text_encoder, tokens=False, longest=1)
            return LengthSampler(records, bank, self.config.balance, self.frozen.config.stride, self.config.length.most)
        key = (corpus.fingerprint, split)
        if key not in self._pools:
            hours = self.config.pool_hours if split == "train" else min(0.5, self.config.pool_hours)
            self._pools[key] = data.make_pool(corpus, split, self.config, self.frozen, hours)
        pool = self._pools[key]
        captions = [c for s in pool for r in s.records for c in r.captions]
        bank = CaptionBank(captions, self.text_encoder, tokens=False, longest=1)
        return data.CropSampler(pool, bank, self.config)

    def share_sequences(self, other: KMM) -> None:
        """Use the long sequences that another system of the same tokenizer and data settings has made, or will make."""
        self._pools = other._pools

    def loss(self, stage: str, batch: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Named scalars of one batch, as the sampler of the stage draws it."""
        if self.module(stage).training and self.config.text.noise > 0:
            pooled = batch["pooled"]
            size = self.config.text.noise * pooled.norm(dim=-1, keepdim=True) / pooled.shape[-1] ** 0.5
            noisy = pooled + size * torch.randn(pooled.shape, generator=generator, device=pooled.device)
            noisy = nn.functional.normalize(noisy, dim=-1) * pooled.norm(dim=-1, keepdim=True)
            batch = {**batch, "pooled": noisy}
        if stage == "length":
            return self.length.loss(batch["pooled"], batch["tokens"])
        if stage == "masked":
            return self.masked.loss(batch, self.frozen.rows(batch["codes"]), generator)
        return self.residual.loss(batch, generator)

    # Generation

    def stream(
        self,
        script: Iterable[Line | TextRequest | str],
        seed: int = 0,
        *,
        index: int = 0,
        carried: Callable[[int], None] | None = None,
        **options: Any,
    ) -> Iterator[Motion]:
        """Motion as it becomes ready, part after part, in one world.

        The script is read as far as is needed: for a block and its margin (`config.block + config.margin` tokens,
        5.6 s in `small`) beyond what was given out, so further lines may come while the stream runs. What is kept
        does not grow: the scans' states, the text of the lines in reach, and `reach` tokens for the decoder.

        Args:
            script: Lines, requests, or texts such as "a person walks forward @4".
            seed: with the number of a line, or the line's own seed, of all its draws.
            index: another stream of draws.
            carried: called after each block with how many numbers the states hold.
            options: steps, guidance, residual_guidance, temperature, residual_temperature; None: the configuration's.
        Yields: Motion at the configuration's fps; its segments are those of the lines in it, in seconds from its own
            start; its passport says its `first_frame`.
        Raises: InputError for a bad line when it is reached, an empty script, or an option out of range.
        """
        chosen = self._sampling_options(options)
        check_seed("kmm", seed)
        config = self.config
        lines = Counted(script, config.longest_line, config.sampling.seconds, config.fps)
        passport = self.passport(TextRequest("", None), seed, options=asdict(chosen), fps=config.fps)
        return generation.stream(self._parts(), lines, seed, chosen, index, passport, carried)

    def compose(
        self,
        script: Sequence[Line | TextRequest | str],
        seed: int = 0,
        *,
        clean: bool = False,
        edits: Sequence[Mapping[str, Any]] = (),
        index: int = 0,
        **options: Any,
    ) -> Motion:
        """One motion for a script.

        Args:
            script: as of `stream`.
            seed: as of `stream`.
            index: as of `stream`.
            options: as of `stream`.
            clean: run `laban.motion.cleanup.clean` on the result.
            edits: lines to make again, in order: {"line": number from 1, "variation": whole number, "text": or None}.
                The others stay: before the line nothing changes, after it no local rotation does (see placing.py).
        Returns: Motion with one segment per line and a passport that `replay` takes.
        """
        lines = original = [parsed(line, i, self.config.longest_line) for i, line in enumerate(script, start=1)]
        if not lines:
            raise InputError("kmm: the script is empty; give at least one line.")
        chosen = self._sampling_options(options)
        check_seed("kmm", seed)
        parts = self._parts()
        codes, states = generation.tokens(parts, lines, seed, chosen, index, keep=bool(edits))
        motion = generation.decoded(parts, codes, lines, clean=clean)
        applied: list[dict[str, Any]] = []
        for edit in edits:
            edit = self._checked_edit(edit, lines)
            at, variation, text = edit["line"] - 1, edit["variation"], edit["text"]
            if text is not None:
                lines = [replace(line, text=text) if i == at else line for i, line in enumerate(lines)]
            maker = parts.maker(seed, chosen, index)
            codes, states, place = generation.again(parts, codes, states, lines, maker, at, variation)
            new = generation.decoded(parts, codes, lines, clean=clean)
            motion = placing.exchange(motion, new, place[0], min(place[1], motion.frames))
            applied.append(edit)
        passport = self.passport(
            TextRequest("", None), seed, index=index, frames=motion.frames, fps=self.config.fps,
            options={**asdict(chosen), "clean": clean}, edits=applied,
            understood=round(float(self.text_encoder.encode([x.text for x in lines]).known.min()), 3),
        )  # fmt: skip
        passport["request"] = {"script": [asdict(line) for line in original]}
        return replace(motion, passport=passport)

    def generate(
        self, requests: Sequence[TextRequest], seed: int, *, clean: bool = False, first_index: int = 0, **options: Any
    ) -> list[Motion]:
        """One motion per request: a script of one line each.

        Raises: InputError naming the request or option that is out of range.
        """
        check_seed("kmm", seed)
        self._sampling_options(options)
        for i, request in enumerate(requests):
            checked_line(Line(request.text, request.seconds), f"kmm: request {i + 1}", self.config.longest_line)
        motions = []
        for i, request in enumerate(requests):
            seconds = request.seconds
            if seconds is None:
                seconds = self.seconds_of(request.text, seed, first_index + i)
            made = self.compose([Line(request.text, seconds)], seed, clean=clean, index=first_index + i, **options)
            passport = dict(made.passport or {})
            passport["request"] = {"text": request.text, "seconds": request.seconds}
            motions.append(replace(made, passport=passport))
        return motions

    @torch.no_grad()
    def seconds_of(self, text: str, seed: int, index: int = 0) -> float:
        """Seconds that a sentence lasts, drawn by the sample's own generator."""
        pooled = self.text_encoder.encode([text]).pooled.to(self.device)
        with evaluating([self.length]):
            logits = self.length(pooled)
        [tokens] = draw_lengths(logits, generators(seed, 1, index), "middle")
        return max(2, tokens) * self.frozen.config.stride / self.config.fps

    def replay(self, passport: Mapping[str, Any]) -> Motion:
        """The motion of a passport, made again.

        Raises: InputError if the passport lacks something; WeightsError if it names other weights.
        """
        try:
            wanted, seed, request = passport["weights"], passport["seed"], passport["request"]
            rows = request["script"] if "script" in request else [request]
            lines = [Line(r["text"], r["seconds"], r.get("seed")) for r in rows]
            if "script" not in request and request["seconds"] is None:
                lines = [Line(request["text"], passport["frames"] / self.config.fps)]
            options = {k: v for k, v in passport["options"].items() if k != "filter"}
            index, edits = passport["index"], passport["edits"]
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"kmm.replay: the passport has no {error}; it must come from kmm.") from None
        self.check_weights(wanted)
        made = self.compose(lines, seed, edits=edits, index=index, **options)
        return replace(made, passport={**(made.passport or {}), "request": request})

    def preview(self, seed: int) -> list[Motion]:
        """A short script, once both networks are trained."""
        if not set(STAGES) <= self.provenance.trained:
            return []
        script = ("a person walks forward @3", "a person turns left @2", "a person waves both hands @3")
        return [self.compose(script, seed)]

    # Parts and checks

    def _parts(self) -> generation.Parts:
        def pooled(text: str) -> Tensor:
            return self.text_encoder.encode([text]).pooled[0].float()

        return generation.Parts(self.config, self.frozen, self.masked, self.residual, pooled)

    def _sampling_options(self, options: Mapping[str, Any]) -> SamplingOptions:
        if "filter" in options:
            raise InputError("kmm: filter is of the configuration (sampling.filter), no option.")
        chosen = options_of(SamplingOptions, "kmm", options, self.config.sampling)
        check_sampling("kmm", asdict(chosen))
        return chosen

    def _checked_edit(self, edit: Mapping[str, Any], lines: Sequence[Line]) -> dict[str, Any]:
        line, variation, text = edit.get("line"), edit.get("variation", 1), edit.get("text")
        if not isinstance(line, int) or not 1 <= line <= len(lines):
            raise InputError(f"kmm: there is no line {line!r} to make again; the script has {len(lines)}.")
        SEED.check("kmm: variation", variation)
        if text is not None:
            checked_line(Line(text), f"kmm: the new text of line {line}")
        return {"line": line, "variation": variation, "text": text}
