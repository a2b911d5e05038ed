"""Data prepared, models trained and scored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from laban.actions.context import Context
from laban.api.call import options_of, surroundings

if TYPE_CHECKING:
    from laban.actions.evaluate import Evaluation
    from laban.data.prepare import PrepareReport
    from laban.train.loop import Outcome


def prepare_data(
    corpus: str, source: str | Path, out: str | Path, *, context: Context | None = None, **options: Any
) -> PrepareReport:
    """Turns a corpus, as its owners publish it, into memory-mapped arrays to train on.

    Args:
        corpus: its name; "folder" for any motion files with a captions.tsv.
        source: its folder or archive.
        out: the folder of prepared corpora.
        context: told of progress; asked between files whether to stop.
        options: further fields of [`PrepareOptions`][laban.actions.data.PrepareOptions].
    Returns: what was done, and which files were skipped, why.
    Raises: InputError for an unknown corpus, or a source that holds none of its files.
    """
    from laban.actions import data as action

    named = {"corpus": corpus, "source": source, "out": out}
    return action.prepare(options_of(action.PrepareOptions, options, named), surroundings(context))


def train_model(
    system: str, data: str | Path, out: str | Path, *, preset: str = "small", seed: int = 0,
    context: Context | None = None, **options: Any,
) -> Outcome:  # fmt: skip
    """Trains a system on prepared corpora; called again it goes on where it stood.

    Args:
        system: its name.
        data: the folder that `laban data prepare` wrote.
        out: the folder of the run, which `laban.load` opens when all stages are done.
        preset: size of the model: small, paper, tiny.
        seed: of weights, data order and dropout.
        context: told of steps; asked after each whether to stop.
        options: further fields of [`TrainOptions`][laban.actions.train.TrainOptions].
    Raises: InputError for an unknown system, preset or stage, or a folder that holds another run.
    """
    from laban.actions import train as action

    named = {"system": system, "data": data, "out": out, "preset": preset, "seed": seed}
    return action.train(options_of(action.TrainOptions, options, named), surroundings(context))


def score_model(
    system: str | Path, data: str | Path, out: str | Path, *, seed: int = 0, context: Context | None = None,
    **options: Any,
) -> Evaluation:  # fmt: skip
    """Scores a system on held-out clips, next to real motion and rows that a score has to tell from it.

    Args:
        system: shipped weights by name, or a folder with weights.
        data: the folder that `laban data prepare` wrote.
        out: the folder of the report.
        seed: of motions, pools and bootstrap.
        context: told of progress.
        options: further fields of [`EvaluateOptions`][laban.actions.evaluate.EvaluateOptions].
    Raises: InputError for a system or data that cannot be scored.
    """
    from laban.actions import evaluate as action

    named = {"system": str(system), "data": data, "out": out, "seed": seed}
    return action.evaluate(options_of(action.EvaluateOptions, options, named), surroundings(context))
