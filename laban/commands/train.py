"""`laban train`: a system, stage by stage."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import tyro

from laban.commands.output import check_number, print_json


def train(
    system: Annotated[str, tyro.conf.arg(metavar="SYSTEM"), tyro.conf.Positional],
    /,
    *,
    data: Path,
    out: Path,
    preset: str = "small",
    stage: tuple[str, ...] = (),
    init: Path | None = None,
    steps: int | None = None,
    set: tuple[str, ...] = (),
    device: str = "auto",
    precision: Literal["32", "bf16"] = "32",
    seed: int = 0,
    threads: int | None = None,
    log_every: int = 10,
    validate_every: int = 500,
    preview: bool = True,
    preview_every: int = 0,
    checkpoint_seconds: float = 120.0,
    checkpoint_every: int = 0,
    json: bool = False,
    quiet: bool = False,
) -> int:
    """Trains a system on prepared corpora, stage by stage.

    Started again with the same options it skips what is finished and goes on exactly where a killed run
    stood. Ctrl-C saves and ends. Once the first stage is finished, two processes may train two other stages.

    Args:
        system: what to train: momask, motionclip, kmm, fact, godiva, or evaluator (the judge of laban evaluate).
        data: folder that `laban data prepare` wrote; all corpora in it are used. For godiva also mnist.tar.
        out: folder of the run; when all stages are done, --model takes it.
        preset: size of the model: small, paper, tiny.
        stage: train only these stages.
        init: start from the weights of this finished run (same sizes), to go on or to fine-tune on other data.
        steps: steps per stage instead of the preset's.
        set: fields of the configuration, as field=value; nested ones are dotted.
        device: cpu, cuda, or auto.
        precision: 32, or bf16 for mixed precision.
        seed: of the weights, the data order and dropout.
        threads: CPU threads of torch.
        log_every: steps per row of metrics.jsonl.
        validate_every: steps between validations; 0 for none.
        preview: render samples into OUT/previews.
        preview_every: steps between rendered samples; 0 for the end of a stage only.
        checkpoint_seconds: seconds between saved resume states.
        checkpoint_every: steps between saved resume states, besides.
        json: print one JSON object on stdout at the end.
        quiet: no progress bar.
    """
    for name, number, low in (
        ("steps", steps, 0), ("threads", threads, 1), ("log-every", log_every, 1), ("seed", seed, 0),
        ("validate-every", validate_every, 0), ("preview-every", preview_every, 0),
        ("checkpoint-every", checkpoint_every, 0), ("checkpoint-seconds", checkpoint_seconds, 0),
    ):  # fmt: skip
        check_number(f"--{name}", number, low, 2**63 - 1)
    import torch

    from laban.systems.registry import pick_device, resolve
    from laban.train import loop

    if threads is not None:
        torch.set_num_threads(threads)
    kind = resolve(system)
    where = pick_device(device)
    config, _ = kind.configured(preset, set)  # a wrong preset is said before the data are opened
    corpus = kind.open_data(data, config)
    torch.manual_seed(seed)
    model = kind.create(preset, corpus, set)
    model.provenance.data = corpus.names
    model.provenance.licence = "; ".join(corpus.licences)
    options = loop.Options(
        stages=stage, init=init, steps=steps, seed=seed, device=where, precision=precision, log_every=log_every,
        validate_every=validate_every, preview=preview, preview_every=preview_every,
        checkpoint_seconds=checkpoint_seconds,
        checkpoint_every=checkpoint_every, quiet=quiet,
    )  # fmt: skip
    outcome = loop.run(model, corpus, out, options)
    if json:
        print_json({"out": str(out), **vars(outcome)})
    elif outcome.stopped:
        again = f"{out} holds its state; the same command goes on from there."
        print(f"stopped in stage {outcome.stopped} at step {outcome.step}; {again}", file=sys.stderr)
    elif not quiet:
        done = ", ".join(outcome.finished) or "nothing (all finished before)"
        print(f"trained {done}; {out}")
    return 0
