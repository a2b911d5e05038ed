"""A system trained on prepared corpora, stage by stage."""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from laban.actions.context import Context
from laban.actions.options import bounded, check, described
from laban.systems.options import ENDLESS, SEED, Bounds

if TYPE_CHECKING:
    from laban.train.loop import Outcome

COUNT = Bounds(0, ENDLESS, whole=True)
SOME = Bounds(1, ENDLESS, whole=True)


@dataclass(frozen=True)
class TrainOptions:
    """What is trained, on what, and how the run is kept."""

    system: str = described(
        MISSING, "what to train: momask, motionclip, kmm, fact, godiva, or evaluator (the judge of laban evaluate)."
    )
    data: Path = described(
        MISSING, "folder that `laban data prepare` wrote; all corpora in it are used. For godiva also mnist.tar."
    )
    out: Path = described(MISSING, "folder of the run; when all stages are done, --model takes it.")
    preset: str = described("small", "size of the model: small, paper, tiny.")
    stage: tuple[str, ...] = described((), "train only these stages.")
    init: Path | None = described(
        None,
        "start from the weights of this finished run (same sizes), to go on or to fine-tune on other data.",
    )
    steps: int | None = bounded(None, COUNT, "steps per stage instead of the preset's.")
    set: tuple[str, ...] = described((), "fields of the configuration, as field=value; nested ones are dotted.")
    precision: Literal["32", "bf16"] = described("32", "32, or bf16 for mixed precision.")
    seed: int = bounded(0, SEED, "of the weights, the data order and dropout.")
    log_every: int = bounded(10, SOME, "steps per row of metrics.jsonl.")
    validate_every: int = bounded(500, COUNT, "steps between validations; 0 for none.")
    preview: bool = described(True, "render samples into OUT/previews.")
    preview_every: int = bounded(0, COUNT, "steps between rendered samples; 0 for the end of a stage only.")
    checkpoint_seconds: float = bounded(120.0, Bounds(0, ENDLESS), "seconds between saved resume states.")
    checkpoint_every: int = bounded(0, COUNT, "steps between saved resume states, besides.")


def train(options: TrainOptions, context: Context) -> Outcome:
    """Trains a system on prepared corpora, stage by stage.

    Called again with the same options it skips what is finished and goes on exactly where a run that was killed stood.
    A signal, or `context.cancelled`, saves and ends. Once the first stage is finished, two processes may train two
    other stages.

    Args:
        options: what is trained, and how.
        context: told of steps and of previews that failed; asked after each step whether to end.
    Returns: the stages that were finished or skipped, and the one in which it was stopped.
    Raises: InputError for an unknown system, preset, stage or field, or a folder that holds another run; LabanError
        when a loss is not finite.
    """
    check(options)
    import torch

    from laban.systems.registry import pick_device, resolve
    from laban.train import loop

    kind = resolve(options.system)
    device = pick_device(context.device)
    config, _ = kind.configured(options.preset, options.set)  # a wrong preset is said before the data are opened
    corpus = kind.open_data(options.data, config)
    torch.manual_seed(options.seed)
    model = kind.create(options.preset, corpus, options.set)
    model.provenance.data = corpus.names
    model.provenance.licence = "; ".join(corpus.licences)
    how = loop.Options(
        stages=options.stage, init=options.init, steps=options.steps, seed=options.seed, device=device,
        precision=options.precision, log_every=options.log_every, validate_every=options.validate_every,
        preview=options.preview, preview_every=options.preview_every, checkpoint_seconds=options.checkpoint_seconds,
        checkpoint_every=options.checkpoint_every, progress=context.progress, warn=context.warn,
        cancelled=context.cancelled,
    )  # fmt: skip
    return loop.run(model, corpus, options.out, how)
