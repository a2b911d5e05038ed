"""`laban evaluate`: a system, or motions from files, scored beside real motion and control rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from laban.commands.output import check_number, print_json
from laban.errors import InputError

if TYPE_CHECKING:
    from laban.systems.base import System


def evaluate(
    system: Annotated[str, tyro.conf.arg(metavar="SYSTEM"), tyro.conf.Positional] = "",
    /,
    *,
    data: Path,
    out: Path,
    motions: Path | None = None,
    split: str = "test",
    repeats: int = 20,
    cases: int | None = None,
    steps: tuple[int, ...] = (1, 2, 5, 10, 18, 25),
    guidance: tuple[float, ...] = (1, 2, 3, 4, 5, 6, 7),
    quick: bool = False,
    evaluator: tuple[Path, ...] = (),
    seed: int = 0,
    device: str = "auto",
    threads: int | None = None,
    json: bool = False,
    quiet: bool = False,
) -> int:
    """Scores a system on held-out clips, beside real motion and rows that a score has to tell from it.

    Writes OUT/report.md, report.json, plots and the motions that were made. Started again with the same options it
    goes on where a stopped run stood. What the figures mean: docs/evaluation.md.

    Args:
        system: Shipped weights by name, or a folder with weights.
        data: Folder that `laban data prepare` wrote.
        out: Folder of the report.
        motions: Score the .npz and .bvh files of this folder instead of a system; they are named after clips of the
            split, or have a text in them or in captions.json.
        split: Which clips are held out: test or val.
        repeats: Draws of pools of 32 and of pairs.
        cases: Draw so many clips of the split; all by default.
        steps: Rounds of the masked model to compare.
        guidance: Strengths of the text to compare.
        quick: The system as it is and the control rows only: no other steps, guidance, precision, no MultiModality.
        evaluator: Folders of evaluators instead of the two that are shipped.
        seed: Of the motions, the pools and the bootstrap.
        device: cpu, cuda or auto.
        threads: CPU threads of torch.
        json: Print the report as one JSON object.
        quiet: No progress bar, and no table on stdout.
    """
    for name, number, low in (
        ("repeats", repeats, 1), ("cases", cases, 2), ("seed", seed, 0), ("threads", threads, 1),
        *(("steps", n, 1) for n in steps), *(("guidance", g, 0) for g in guidance),
    ):  # fmt: skip
        check_number(f"--{name}", number, low, 2**63 - 1)
    if bool(system) == (motions is not None):
        raise InputError("give a SYSTEM or --motions FOLDER, one of them. For example: laban evaluate momask ...")

    from laban.systems.base import locate

    if system:
        locate(system)  # a wrong name is said before torch is loaded

    import torch

    import laban
    from laban.data.corpus import Corpus
    from laban.evaluate.motions import read_folder
    from laban.evaluate.report import markdown
    from laban.evaluate.run import SHIPPED, Settings
    from laban.evaluate.run import evaluate as whole

    if threads is not None:
        torch.set_num_threads(threads)
    settings = Settings(split, cases, repeats, seed, steps, guidance, quick)
    corpus = Corpus.open(data)
    given = read_folder(motions) if motions is not None else []
    loaded: System | None = laban.load(system, device=device) if system else None
    facts = whole(corpus, out, settings, system=loaded, motions=given, judges=evaluator or SHIPPED, quiet=quiet or json)
    if json:
        print_json(facts)
    elif not quiet:
        print(markdown(facts))
        print(f"written: {out}")
    return 0
