"""The training loop: stages in order, exact resume, averaged weights, metrics, previews.

Devices and precision are Lightning Fabric's. All randomness of a stage comes from three generators whose
states are saved: numpy's for the data, a torch one for the loss, and torch's global one for dropout.
"""

from __future__ import annotations

import json
import math
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from laban import checkpoint
from laban.config import nearest, to_dict
from laban.data.corpus import Corpus
from laban.errors import InputError, LabanError
from laban.systems.base import System
from laban.systems.schedule import StatefulSampler
from laban.train.average import WeightAverage
from laban.train.card import model_card
from laban.train.log import MetricsLog
from laban.train.state import StageFiles, check_same, close_stage, locked, open_run
from laban.train.stop import StopSignal
from laban.train.vocabulary import vocabulary_of
from laban.work import Counter, Progress, ignore


@dataclass(frozen=True)
class Options:
    """How to run, as opposed to what to train (that is the system's configuration)."""

    stages: tuple[str, ...] = ()  # empty: all
    init: Path | None = None  # a finished run or shipped weights to start each stage from, instead of from nothing
    steps: int | None = None  # instead of the schedule's
    seed: int = 0
    device: str = "cpu"
    precision: str = "32"
    log_every: int = 10  # steps per row of metrics.jsonl
    validate_every: int = 500
    validate_batches: int = 8
    preview: bool = True  # render samples
    preview_every: int = 0  # steps; 0: at the end of a stage only
    checkpoint_seconds: float = 120.0
    checkpoint_every: int = 0  # steps; 0: by time only
    progress: Progress = ignore  # told of steps, with the loss in the note
    warn: Callable[[str], None] = ignore
    cancelled: Callable[[], bool] = bool  # asked after each step; True saves and ends, as a signal does


@dataclass
class Outcome:
    """What a call to `run` did. `stopped` names the stage in which a signal ended it."""

    finished: list[str]
    skipped: list[str]
    stopped: str | None = None
    step: int = 0


def run(system: System, corpus: Corpus, folder: Path, options: Options) -> Outcome:
    """Train the stages of `system` into `folder`, a checkpoint that `laban.load` opens when all are done.

    Finished stages are skipped and a killed one goes on where its last saved state stands. Two processes may
    train different stages into one folder.

    Raises: InputError on an unknown stage, a required stage that is not finished, or a folder that holds a
        run with another configuration, data or settings; LabanError when a loss is not finite.
    """
    stages = system.stages()
    for name in options.stages:
        if name not in stages:
            near = nearest(name, stages)
            hint = f"did you mean {near!r}?" if near else "give one of them."
            raise InputError(f"{system.name}: unknown stage {name!r}; known: {', '.join(stages)}; {hint}")
    if options.precision not in ("32", "bf16"):
        raise InputError(f"precision: got {options.precision!r}, expected 32 or bf16.")
    open_run(folder, system, corpus)
    kind = "cuda" if options.device.startswith("cuda") else options.device
    fabric = Fabric(accelerator=kind, devices=1, precision="bf16-mixed" if options.precision == "bf16" else "32-true")
    if kind == "cuda":
        torch.set_float32_matmul_precision("high")
    system.to(fabric.device).eval()
    for stage in stages:
        system.module(stage).requires_grad_(False)
        if StageFiles(folder, stage).finished():
            _adopt(system, stage, folder)
    outcome = Outcome([], [])
    with StopSignal() as stop:
        for stage in [s for s in stages if not options.stages or s in options.stages]:
            files = StageFiles(folder, stage)
            with locked(files.lock):
                trainer = StageTrainer(system, stage, corpus, folder, options, fabric, files)
                if trainer.done():
                    _adopt(system, stage, folder)
                    outcome.skipped.append(stage)
                    continue
                for needed in system.requires(stage):
                    if needed not in system.provenance.trained:
                        if not StageFiles(folder, needed).finished():
                            raise InputError(f"stage {stage!r} needs {needed!r}, which is not finished in {folder}.")
                        _adopt(system, needed, folder)  # another process finished it meanwhile
                complete = trainer.train(stop)
                outcome.step = trainer.step
                if not complete:
                    outcome.stopped = stage
                    return outcome
                _adopt(system, stage, folder)
                outcome.finished.append(stage)
            close_stage(folder, system, model_card(system, corpus, folder))
            vocabulary = vocabulary_of(corpus) if isinstance(corpus, Corpus) else None
            if vocabulary is not None:
                vocabulary.write(folder)
    return outcome


def _adopt(system: System, stage: str, folder: Path) -> None:
    """Give the system the stage's saved weights: later stages see the same ones in whichever process."""
    tensors = checkpoint.load_stage(folder, stage)
    checkpoint.load_into(system.module(stage), tensors, f"{folder}/{stage}.safetensors")
    system.module(stage).requires_grad_(False).eval()
    system.provenance.trained.add(stage)


class StageLoss(nn.Module):
    """The loss of a stage as a module, so that Fabric can wrap it."""

    def __init__(self, system: System, stage: str) -> None:
        super().__init__()
        self.network = system.module(stage)
        self._loss = lambda batch, generator: system.loss(stage, batch, generator)

    def forward(self, batch: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        return self._loss(batch, generator)


class StageTrainer:
    """Trains one stage: everything that its resume state holds is an attribute here."""

    def __init__(
        self, system: System, stage: str, corpus: Corpus, folder: Path, options: Options, fabric: Fabric,
        files: StageFiles,
    ) -> None:  # fmt: skip
        self.system, self.stage, self.corpus, self.folder = system, stage, corpus, folder
        self.options, self.fabric, self.files = options, fabric, files
        schedule = system.schedule(stage)
        self.schedule = schedule if options.steps is None else replace(schedule, steps=options.steps)
        self.facts: dict[str, Any] = {
            "schedule": to_dict(self.schedule),
            "seed": options.seed,
            "precision": options.precision,
            "device": fabric.device.type,
        }
        if options.init is not None:
            self.facts["init"] = str(options.init)
        self.step = 0
        self.seconds = 0.0
        self.keys: list[str] = []
        self.pending: list[list[float]] = []  # values of the steps since the last row of metrics
        self.unread: list[Tensor] = []  # the same, still on the device
        self.validation: dict[str, float] = {}
        self.shown: dict[str, str] = {}
        self.previews = options.preview

    def done(self) -> bool:
        """Whether the stage is finished (also by another process) with at least this schedule's steps."""
        marker = self.files.finished()
        if marker is None:
            return False
        check_same(self.stage, marker["settings"], self.facts)
        if marker["step"] < self.schedule.steps and not self.files.resume.exists():
            raise InputError(
                f"stage {self.stage!r} is finished at step {marker['step']} and its resume state is gone; "
                f"it cannot go on to {self.schedule.steps}."
            )
        return marker["step"] >= self.schedule.steps

    def train(self, stop: StopSignal) -> bool:
        """Train to the last step and write the stage's weights. False if a signal ended it before."""
        self._prepare()
        self.counter = Counter(self.options.progress, self.schedule.steps, self.stage, self.step)
        log = MetricsLog(self.folder / "metrics.jsonl")
        self.log = log
        begun = saved = time.monotonic()
        before = self.seconds
        try:
            while self.step < self.schedule.steps:
                self._advance()
                self.counter.add()
                stopping = stop.wanted or self.options.cancelled()
                now = time.monotonic()
                self.seconds = before + now - begun
                o, last = self.options, self.step == self.schedule.steps
                if self.step % o.log_every == 0 or last:
                    self._report()
                if last or (o.validate_every and self.step % o.validate_every == 0):
                    self._validate()
                if o.preview_every and self.step % o.preview_every == 0 and not last:
                    self.preview()
                due = now - saved >= o.checkpoint_seconds or (
                    o.checkpoint_every and self.step % o.checkpoint_every == 0
                )
                if due or stopping or last:
                    self._save()
                    saved = time.monotonic()
                if stopping and not last:
                    return False
            if self.schedule.steps == 0:
                self._save()
            checkpoint.save_stage(self.folder, self.stage, self.average.state())
            self.files.finish(
                {
                    "step": self.step,
                    "seconds": round(self.seconds, 1),
                    "settings": self.facts,
                    "val": self.validation,
                }
            )
            self.network.requires_grad_(False).eval()
            self.system.provenance.trained.add(self.stage)
            self.preview()
            return True
        finally:
            log.close()
            self.network.requires_grad_(False).eval()

    def preview(self) -> None:
        """Write the system's previews as pictures. A failure is said, and does not end training."""
        if not self.previews:
            return
        from laban import formats

        try:
            with self._evaluating():
                results = self.system.preview(self.options.seed)
            if not results:
                return
            place = self.folder / "previews"
            place.mkdir(exist_ok=True)
            for i, result in enumerate(results):
                formats.write(result, place / f"{self.stage}-{self.step:06d}-{i + 1}.png")
        except Exception as error:
            self.previews = False
            self.options.warn(f"previews are off: {type(error).__name__}: {error}")

    def _prepare(self) -> None:
        """Build everything that is trained, fresh or from the resume state."""
        s, o = self.schedule, self.options
        self.sampler = self.system.sampler(self.stage, self.corpus, "train")
        self.about = self.system.describe()  # known once the sampler has used everything
        self.val_sampler = None
        if o.validate_every and self.corpus.select("val"):
            self.val_sampler = self.system.sampler(self.stage, self.corpus, "val")
            if isinstance(self.val_sampler, StatefulSampler):
                self.val_state = self.val_sampler.state()
        self.network = self.system.module(self.stage).requires_grad_(True).train()
        if o.init is None:
            self.system.begin(self.stage)
        else:
            tensors = checkpoint.load_stage(o.init, self.stage)
            checkpoint.load_into(self.network, tensors, f"{o.init}/{self.stage}.safetensors")
        parameters = [p for p in self.network.parameters() if p.requires_grad]
        groups = [
            {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": s.weight_decay},
            {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW([g for g in groups if g["params"]], lr=s.learning_rate, betas=s.betas, fused=True)
        self.loss, self.optimizer = self.fabric.setup(StageLoss(self.system, self.stage), optimizer)
        self.average = WeightAverage(self.network, s.weight_ema)
        number = zlib.crc32(self.stage.encode())  # a stage draws the same numbers in whichever process it runs
        self.rng = np.random.default_rng([o.seed, number])
        self.generator = torch.Generator(self.fabric.device)
        self.generator.manual_seed((o.seed * 1_000_003 + number) % 2**63)
        torch.manual_seed((o.seed * 1_000_033 + number) % 2**63)
        self.files.sweep()
        state = self.files.load()
        if state is not None:
            check_same(self.stage, json.loads(state["settings"]), {**self.facts, "about": self.about})
            self._restore(state)

    def _restore(self, state: dict[str, Any]) -> None:
        checkpoint.load_into(self.network, state["module"], str(self.files.resume))
        self.optimizer.load_state_dict(state["optimizer"])
        self.average.load(state["average"])
        self.rng.bit_generator.state = json.loads(state["numpy"])
        self.generator.set_state(state["generator"])
        torch.set_rng_state(state["torch"])
        if self.fabric.device.type == "cuda":
            torch.cuda.set_rng_state(state["cuda"], self.fabric.device)
        if isinstance(self.sampler, StatefulSampler):
            self.sampler.restore(json.loads(state["sampler"]))
        self.step, self.seconds = state["step"], state["seconds"]
        self.keys, self.pending = state["keys"], state["pending"]

    def _save(self) -> None:
        """Write the resume state, unless a value since the last row is not finite."""
        self._collect()
        cuda = self.fabric.device.type == "cuda"
        self.files.save({
            "settings": json.dumps({**self.facts, "about": self.about}),
            "module": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.values,
            "numpy": json.dumps(self.rng.bit_generator.state),
            "sampler": json.dumps(self.sampler.state() if isinstance(self.sampler, StatefulSampler) else None),
            "generator": self.generator.get_state(),
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state(self.fabric.device) if cuda else None,
            "step": self.step,
            "seconds": self.seconds,
            "keys": self.keys,
            "pending": self.pending,
        })  # fmt: skip

    def _advance(self) -> None:
        """One optimizer step."""
        s = self.schedule
        rate = s.rate(self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        batch = self.fabric.to_device(self.sampler(self.rng, s.batch_size))
        losses = self.loss(batch, self.generator)
        if not self.keys:
            self.keys = list(losses)
        self.fabric.backward(losses["loss"])
        norm = self.fabric.clip_gradients(
            self.loss, self.optimizer, max_norm=s.clip or math.inf, error_if_nonfinite=False
        )
        self.unread.append(torch.stack([losses[k].detach().float() for k in self.keys] + [norm.float()]))  # type: ignore[union-attr]
        if self.fabric.device.type == "cpu":
            self._collect()  # before the step: a loss that is not finite never reaches the weights
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.average.update(self.step)
        self.step += 1

    def _collect(self) -> None:
        """Fetch the values of the last steps and fail on the first that is not finite."""
        if not self.unread:
            return
        values = torch.stack(self.unread).tolist()
        self.unread.clear()
        ahead = 1 if self.fabric.device.type == "cpu" else 0  # on the CPU the step is not counted yet
        for i, row in enumerate(values):
            for key, value in zip([*self.keys, "gradient norm"], row, strict=True):
                if not math.isfinite(value):
                    step = self.step + ahead - len(values) + i + 1
                    kept = "the last good state is kept" if self.files.resume.exists() else "no state was saved yet"
                    raise LabanError(
                        f"stage {self.stage!r}, step {step}: {key} is {value}; {kept} in "
                        f"{self.files.resume.parent}. Look for NaN in the data, lower the learning rate, or set a "
                        "clip."
                    )
        self.pending.extend(values)

    def _report(self) -> None:
        """One row of metrics: means over the steps since the last row."""
        self._collect()
        means = [math.fsum(column) / len(self.pending) for column in zip(*self.pending, strict=True)]
        named = dict(zip([*self.keys, "grad_norm"], means, strict=True))
        rate = self.schedule.rate(self.step - 1)
        self._row("train", {**named, "lr": rate})
        self._show(loss=named["loss"])
        self.pending.clear()

    def _validate(self) -> None:
        """Mean losses of the averaged weights on the same validation batches each time."""
        if self.val_sampler is None:
            return
        if isinstance(self.val_sampler, StatefulSampler):
            self.val_sampler.restore(self.val_state)
        rng = np.random.default_rng([self.options.seed, 1])
        generator = torch.Generator(self.fabric.device)
        generator.manual_seed(1)
        rows: list[dict[str, Tensor]] = []
        with self._evaluating():
            for _ in range(self.options.validate_batches):
                batch = self.fabric.to_device(self.val_sampler(rng, self.schedule.batch_size))
                rows.append(self.loss(batch, generator))
        self.validation = {k: float(torch.stack([r[k].float() for r in rows]).mean()) for k in rows[0]}
        self._row("val", self.validation)
        self._show(val=self.validation["loss"])

    def _show(self, **losses: float) -> None:
        """Losses in the note of the progress, beside those that are there."""
        self.shown |= {name: f"{value:.4g}" for name, value in losses.items()}
        self.counter.note(", ".join(f"{name}={value}" for name, value in self.shown.items()))

    def _row(self, split: str, values: dict[str, float]) -> None:
        head = {"stage": self.stage, "step": self.step, "split": split}
        self.log.write({**head, **values, "seconds": round(self.seconds, 3)})

    @contextmanager
    def _evaluating(self) -> Iterator[None]:
        """Averaged weights, no gradients, no dropout, and torch's global generators as before afterwards."""
        mode = self.network.training
        devices = [self.fabric.device] if self.fabric.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices), self.average.applied(), torch.no_grad():
            self.network.eval()
            try:
                yield
            finally:
                self.network.train(mode)
