"""KMM as a system: two networks over a shared tokenizer, and long motion from a script, whole or as a stream."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from laban.data.batch import CaptionBank
from laban.errors import InputError, WeightsError
from laban.motion.clip import Motion, Segment
from laban.motion.skeletons import HUMANML22, KIT21
from laban.nn.frozen import DecoderStream, FrozenTokenizer
from laban.systems.base import Sampler, StageSchedule, System, TextRequest, locate
from laban.systems.kmm import data, placing
from laban.systems.kmm.blocks import BlockMaker, Draw, Memory, line_source
from laban.systems.kmm.config import PRESETS, KMMConfig
from laban.systems.kmm.networks import MaskedModel, ResidualModel
from laban.systems.kmm.script import Line, Planner, Span, checked_line, spans

if TYPE_CHECKING:
    from laban.condition.text import TextEncoder
    from laban.data.corpus import Corpus

STAGES = ("masked", "residual")


class KMM(System):
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
        self._text_encoder = text_encoder
        self._wanted_encoder: str | None = None
        self.carried = 0  # numbers that the last stream carried from block to block
        self._pools: dict[tuple[str, str], list[data.TokenSequence]] = {}

    # Text

    @property
    def text_encoder(self) -> TextEncoder:
        """The encoder of lines, opened on first use.

        Raises: InputError if only the caller can give it; WeightsError if it is not the one of the weights.
        """
        if self._text_encoder is None:
            if self.config.text.encoder == "hashed":
                from laban.condition.hashed import HashedText

                self._text_encoder = HashedText(self.config.text.width)
            elif self.config.text.encoder == "shipped":
                from laban.condition.text import SmallTextEncoder

                self._text_encoder = SmallTextEncoder.load()
            else:
                raise InputError("kmm: this configuration has no text encoder of its own; set system.text_encoder.")
        encoder = self._text_encoder
        if encoder.width != self.config.text.width:
            raise InputError(f"kmm: the text encoder gives width {encoder.width}, expected {self.config.text.width}.")
        if self._wanted_encoder not in (None, encoder.fingerprint):
            raise WeightsError(
                f"kmm: these weights were trained with text encoder {self._wanted_encoder}, this one is "
                f"{encoder.fingerprint}; restore the one they came with."
            )
        return encoder

    @text_encoder.setter
    def text_encoder(self, encoder: TextEncoder) -> None:
        self._text_encoder = encoder

    def describe(self) -> dict[str, Any]:
        """The tokenizer's origin and digest, and the text encoder's fingerprint if it has been used."""
        known = self._wanted_encoder or (self._text_encoder.fingerprint if self._text_encoder else None)
        origin = "random" if self.config.random_tokenizer is not None else self.config.tokenizer_from
        return {"text_encoder": known, "tokenizer": {"from": origin, "digest": self.frozen.digest}}

    def verify(self, facts: Mapping[str, Any]) -> None:
        """Raises WeightsError unless the tokenizer that is there is the one of the weights."""
        self._wanted_encoder = facts.get("text_encoder")
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
        """masked, residual. The tokenizer is trained with MoMask."""
        return STAGES

    def module(self, stage: str) -> nn.Module:
        """The network of a stage."""
        if stage not in STAGES:
            raise InputError(f"kmm: unknown stage {stage!r}; expected one of {', '.join(STAGES)}.")
        return self.masked if stage == "masked" else self.residual

    def requires(self, stage: str) -> tuple[str, ...]:
        """Neither stage needs the other."""
        return ()

    def schedule(self, stage: str) -> StageSchedule:
        """From the configuration."""
        return self.config.masked_schedule if stage == "masked" else self.config.residual_schedule

    def sampler(self, stage: str, corpus: Corpus, split: str) -> Sampler:
        """Crops of long sequences, see data.py; the sequences are made here, once."""
        if corpus.mean.shape != (self.layout.width,):
            raise InputError(
                f"kmm: the corpus has {corpus.mean.shape[0]} feature columns, the tokenizer {self.layout.width}."
            )
        key = (corpus.fingerprint, split)
        if key not in self._pools:
            hours = self.config.pool_hours if split == "train" else min(0.5, self.config.pool_hours)
            self._pools[key] = data.make_pool(corpus, split, self.config, self.frozen, hours)
        pool = self._pools[key]
        captions = [c for s in pool for r in s.records for c in r.captions]
        bank = CaptionBank(captions, self.text_encoder, False, 1)
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
        if stage == "masked":
            return self.masked.loss(batch, self.frozen.rows(batch["codes"]), generator)
        return self.residual.loss(batch, generator)

    # Generation

    def stream(
        self, script: Iterable[Line | str], seed: int = 0, *, index: int = 0, **options: Any
    ) -> Iterator[Motion]:
        """Motion as it becomes ready, part after part, in one world.

        The script is read as far as is needed: for a block and its margin (`config.block + config.margin` tokens,
        5.6 s in `small`) beyond what was given out, so further lines may come while the stream runs. What is kept
        does not grow: the scans' states, the text of the lines in reach, and `reach` tokens for the decoder.

        Args:
            script: Lines, or texts such as "a person walks forward @4".
            seed: with the number of a line, or the line's own seed, of all its draws. index: another stream of draws.
            options: steps, guidance, residual_guidance, temperature, residual_temperature; None: the configuration's.
        Yields: Motion at the configuration's fps; its segments are those of the lines in it, in seconds from its own
            start; its passport says its `first_frame`.
        Raises: InputError for a bad line when it is reached, an empty script, or an option out of range.
        """
        draw = self._draw(options)
        self._check_seed(seed)
        lines = _Counted(script, self.config)
        return self._stream(lines, seed, draw, index)

    def _stream(self, lines: _Counted, seed: int, draw: Draw, index: int) -> Iterator[Motion]:
        config = self.config
        planner = self._planner(lines)
        maker = BlockMaker(self.masked, self.residual, self._feature, draw, seed, index)
        decoder = DecoderStream(self.frozen)
        placer = self._placer()
        passport = self.passport(TextRequest("", None), seed, options=asdict(draw), fps=config.fps)
        window: list[Span] = []
        modes = self._evaluating()
        try:
            while (block := planner.next()) is not None:
                window = [s for s in window if s.stop * self.frozen.config.stride > placer.frames]
                window += [s for s in planner.spans if not window or s.start >= window[-1].stop]
                frames = decoder.push(maker.make(planner.spans, *block))
                self.carried = maker.carried
                if len(frames):
                    yield self._part(placer, frames, window, passport)
            frames = decoder.finish()[: max(0, lines.frames - placer.frames)]
            if len(frames):
                yield self._part(placer, frames, window, passport)
        finally:
            self._restore(modes)

    def compose(
        self,
        script: Sequence[Line | str],
        seed: int = 0,
        *,
        clean: bool = False,
        edits: Sequence[Mapping[str, Any]] = (),
        index: int = 0,
        **options: Any,
    ) -> Motion:
        """One motion for a script.

        Args:
            script, seed, index, options: as `stream`.
            clean: run `laban.motion.cleanup.clean` on the result.
            edits: lines to make again, in order: {"line": number from 1, "variation": whole number, "text": or None}.
                The others stay: before the line nothing changes, after it no local rotation does (see placing.py).
        Returns: Motion with one segment per line and a passport that `replay` takes.
        """
        lines = [parsed(line, i, self.config) for i, line in enumerate(script, start=1)]
        if not lines:
            raise InputError("kmm: the script is empty; give at least one line.")
        draw = self._draw(options)
        self._check_seed(seed)
        codes, found, states = self._codes(lines, seed, draw, index, keep=bool(edits))
        motion = self._performed(codes, lines, clean)
        applied: list[dict[str, Any]] = []
        for edit in edits:
            edit = self._checked_edit(edit, lines)
            at, variation, text = edit["line"] - 1, edit["variation"], edit["text"]
            if text is not None:
                lines[at] = replace(lines[at], text=text)
            found = list(spans(lines, *self._grid()))
            mine = [s for s in found if s.line == at]
            first, last = mine[0].start, mine[-1].stop
            codes, states = self._again(codes, found, states, (first, last), lines, seed, draw, index, at, variation)
            stride = self.frozen.config.stride
            new = self._performed(codes, lines, clean)
            motion = placing.exchange(motion, new, first * stride, min(last * stride, motion.frames))
            applied.append(edit)
        passport = self.passport(
            TextRequest("", None), seed, index=index, frames=motion.frames, fps=self.config.fps,
            options={**asdict(draw), "clean": clean}, edits=applied,
            understood=round(float(self.text_encoder.encode([x.text for x in lines]).known.min()), 3),
        )  # fmt: skip
        original = [parsed(line, i, self.config) for i, line in enumerate(script, start=1)]
        passport["request"] = {"script": [asdict(line) for line in original]}
        return replace(motion, passport=passport)

    def generate(
        self, requests: Sequence[TextRequest], seed: int, *, clean: bool = False, first_index: int = 0, **options: Any
    ) -> list[Motion]:
        """One motion per request: a script of one line each.

        Raises: InputError naming the request or option that is out of range.
        """
        self._check_seed(seed)
        self._draw(options)
        for i, request in enumerate(requests):
            checked_line(Line(request.text, request.seconds), f"kmm: request {i + 1}", self.config.longest_line)
        motions = []
        for i, request in enumerate(requests):
            made = self.compose(
                [Line(request.text, request.seconds)], seed, clean=clean, index=first_index + i, **options
            )
            passport = dict(made.passport or {})
            passport["request"] = {"text": request.text, "seconds": request.seconds}
            motions.append(replace(made, passport=passport))
        return motions

    def replay(self, passport: Mapping[str, Any]) -> Motion:
        """The motion of a passport, made again.

        Raises: InputError if the passport lacks something; WeightsError if it names other weights.
        """
        try:
            wanted, seed, request = passport["weights"], passport["seed"], passport["request"]
            rows = request["script"] if "script" in request else [request]
            lines = [Line(r["text"], r["seconds"], r.get("seed")) for r in rows]
            options = {k: v for k, v in passport["options"].items() if k != "filter"}
            index, edits = passport["index"], passport["edits"]
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"kmm.replay: the passport has no {error}; it must come from kmm.") from None
        if wanted != self.provenance.hash:
            raise WeightsError(f"kmm.replay: the passport names weights {wanted}, loaded are {self.provenance.hash}.")
        made = self.compose(lines, seed, edits=edits, index=index, **options)
        return replace(made, passport={**(made.passport or {}), "request": request})

    def preview(self, seed: int) -> list[Motion]:
        """A short script, once both networks are trained."""
        if not set(STAGES) <= self.provenance.trained:
            return []
        script = ("a person walks forward @3", "a person turns left @2", "a person waves both hands @3")
        return [self.compose(script, seed)]

    # Parts of generation

    def _grid(self) -> tuple[float, int, float, int]:
        config = self.config
        return config.fps, self.frozen.config.stride, config.sampling.seconds, config.part

    def _planner(self, lines: Iterable[Line]) -> Planner:
        return Planner(spans(lines, *self._grid()), self.config.block, self.config.margin)

    def _placer(self) -> placing.Placer:
        skeleton = HUMANML22 if self.layout.joints == len(HUMANML22) else KIT21
        return placing.Placer(self.layout, skeleton, self.config.fps)

    def _feature(self, text: str) -> Tensor:
        return self.text_encoder.encode([text]).pooled[0].float()

    def _part(self, placer: placing.Placer, frames: Tensor, window: list[Span], passport: dict[str, Any]) -> Motion:
        first = placer.frames
        last, stride, fps = first + len(frames), self.frozen.config.stride, self.config.fps
        segments = tuple(
            Segment(s.text, max(0.0, (s.start * stride - first) / fps), min(len(frames), s.stop * stride - first) / fps)
            for s in window
            if s.stop * stride > first and s.start * stride < last
        )
        return placer.put(frames.numpy(), segments=segments, passport={**passport, "first_frame": first})

    def _codes(
        self, lines: list[Line], seed: int, draw: Draw, index: int, keep: bool
    ) -> tuple[Tensor, list[Span], list[tuple[int, Memory]]]:
        """All tokens (N, Q), their spans and, if asked, the memory before each block."""
        planner = self._planner(iter(lines))
        maker = BlockMaker(self.masked, self.residual, self._feature, draw, seed, index)
        parts, states = [], []
        modes = self._evaluating()
        try:
            while (block := planner.next()) is not None:
                if keep:
                    states.append((block[0], Memory(maker.memory.base, list(maker.memory.residual))))
                parts.append(maker.make(planner.spans, *block))
        finally:
            self._restore(modes)
        return torch.cat(parts), list(spans(lines, *self._grid())), states

    def _again(
        self, codes: Tensor, found: list[Span], states: list[tuple[int, Memory]], place: tuple[int, int],
        lines: list[Line], seed: int, draw: Draw, index: int, line: int, variation: int,
    ) -> tuple[Tensor, list[tuple[int, Memory]]]:  # fmt: skip
        """The tokens with those of [first, last) made anew between the others, and the memories that then hold."""
        first, last = place
        starts = [s for s, _ in states] + [len(codes)]
        maker = BlockMaker(self.masked, self.residual, self._feature, draw, seed, index)
        fresh = codes.clone()
        free = torch.zeros(len(codes), dtype=torch.bool)
        free[first:last] = True
        kept: list[tuple[int, Memory]] = []
        source = line_source(seed, line, lines[line].seed, variation, index)
        modes = self._evaluating()
        try:
            for i, (start, memory) in enumerate(states):
                stop = starts[i + 1]
                if stop <= first:
                    kept.append((start, memory))
                    continue
                if not kept or kept[-1][0] < first <= start or start <= first < stop:
                    maker.memory = Memory(memory.base, list(memory.residual)) if start <= first else maker.memory
                kept.append((start, Memory(maker.memory.base, list(maker.memory.residual))))
                maker.sources[line] = source
                fresh[start:stop] = maker.make(found, start, stop, fresh[start:stop], free[start:stop])
        finally:
            self._restore(modes)
        return fresh, kept

    def _performed(self, codes: Tensor, lines: list[Line], clean: bool) -> Motion:
        """All tokens -> the motion, decoded and placed part by part as a stream is."""
        stride, fps = self.frozen.config.stride, self.config.fps
        seconds = [self.config.sampling.seconds if x.seconds is None else x.seconds for x in lines]
        total = round(sum(seconds) * fps)
        decoder, placer, parts = DecoderStream(self.frozen), self._placer(), []
        for at in range(0, len(codes), 64):
            frames = decoder.push(codes[at : at + 64])
            if len(frames):
                parts.append(placer.put(frames[: total - placer.frames].numpy()))
        frames = decoder.finish()[: max(0, total - placer.frames)]
        if len(frames):
            parts.append(placer.put(frames.numpy()))
        bounds = [0.0]
        for s in spans(lines, *self._grid()):
            if s.line == len(bounds) - 1:
                bounds.append(min(s.stop * stride, total) / fps)
            else:
                bounds[-1] = min(s.stop * stride, total) / fps
        segments = tuple(
            Segment(x.text, a, b) for x, a, b in zip(lines, bounds[:-1], bounds[1:], strict=True)
        )  # fmt: skip
        motion = placing.joined(parts, segments, {})
        if clean:
            from laban.motion import cleanup

            motion = cleanup.clean(motion)
        return motion

    # Checks

    def _draw(self, options: Mapping[str, Any]) -> Draw:
        chosen = self.config.sampling
        known = {f: getattr(chosen, f) for f in Draw.__dataclass_fields__}
        for name, value in options.items():
            if name not in known or name == "filter":
                raise InputError(
                    f"kmm: unknown option {name!r}; known: {', '.join(k for k in known if k != 'filter')}."
                )
            if value is not None:
                known[name] = value
        steps = known["steps"]
        if not isinstance(steps, int) or isinstance(steps, bool) or not 1 <= steps <= 1000:
            raise InputError(f"kmm: steps is {steps!r}, expected a whole number from 1 to 1000.")
        for name in ("guidance", "residual_guidance", "temperature", "residual_temperature"):
            value, low = known[name], 1e-9 if "temperature" in name else 0.0
            if not isinstance(value, int | float) or not math.isfinite(value) or not low <= value <= 100:
                raise InputError(f"kmm: {name} is {value}, expected a number from {low:g} to 100.")
        return Draw(**known)

    def _check_seed(self, seed: int) -> None:
        if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
            raise InputError(f"kmm: seed is {seed!r}, expected a whole number of 0 or more.")

    def _checked_edit(self, edit: Mapping[str, Any], lines: Sequence[Line]) -> dict[str, Any]:
        line, variation, text = edit.get("line"), edit.get("variation", 1), edit.get("text")
        if not isinstance(line, int) or not 1 <= line <= len(lines):
            raise InputError(f"kmm: there is no line {line!r} to make again; the script has {len(lines)}.")
        if not isinstance(variation, int) or isinstance(variation, bool) or variation < 0:
            raise InputError(f"kmm: variation is {variation!r}, expected a whole number of 0 or more.")
        if text is not None:
            checked_line(Line(text), f"kmm: the new text of line {line}")
        return {"line": line, "variation": variation, "text": text}

    def _evaluating(self) -> list[tuple[nn.Module, bool]]:
        modes = [(self.module(stage), self.module(stage).training) for stage in STAGES]
        self.eval()
        return modes

    def _restore(self, modes: list[tuple[nn.Module, bool]]) -> None:
        for module, training in modes:
            module.train(training)


def parsed(line: Line | str, number: int, config: KMMConfig) -> Line:
    """A line of a script, checked. Raises: InputError."""
    from laban.systems.kmm.script import parse_line

    where = f"kmm: line {number}"
    if isinstance(line, Line):
        return checked_line(line, where, config.longest_line)
    if isinstance(line, str):
        return checked_line(parse_line(line, where), where, config.longest_line)
    raise InputError(f"{where}: got a {type(line).__name__}, expected a Line or a text such as 'a person walks @4'.")


class _Counted:
    """Checked lines as they come, and the frames of all of them so far."""

    def __init__(self, script: Iterable[Line | str], config: KMMConfig) -> None:
        if isinstance(script, str):
            raise InputError("kmm: the script is one string; give a list of lines, each such as 'a person walks @4'.")
        self.source, self.config = iter(script), config
        self.number, self.seconds = 0, 0.0
        self.first = next(self.source, None)
        if self.first is None:
            raise InputError("kmm: the script is empty; give at least one line.")

    @property
    def frames(self) -> int:
        """Frames of the lines so far."""
        return round(self.seconds * self.config.fps)

    def __iter__(self) -> Iterator[Line]:
        line: Line | str | None = self.first
        while line is not None:
            self.number += 1
            checked = parsed(line, self.number, self.config)
            self.seconds += self.config.sampling.seconds if checked.seconds is None else checked.seconds
            yield checked
            line = next(self.source, None)


__all__ = ["KMM", "Line"]
