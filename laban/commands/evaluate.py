"""`laban evaluate`: a system, or motions from files, scored beside real motion and control rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    aist: Path | None = None,
    judges: Path | None = None,
    floor: Path | None = None,
    seed: int = 0,
    device: str = "auto",
    threads: int | None = None,
    json: bool = False,
    quiet: bool = False,
) -> int:
    """Scores a system on held-out clips, beside real motion and rows that a score has to tell from it.

    Writes OUT/report.md, report.json, plots and the motions that were made. Started again with the same options it
    goes on where a stopped run stood. What the figures mean: docs/evaluation.md.
    fact has a protocol of its own, 40 dances of 1,200 frames scored beside their songs' beats (docs/fact.md); of the
    options, --cases, --quick, --aist, --seed, --device and --threads are about it. So has godiva: do judges see the
    digit and the motion of the caption in 500 videos (docs/godiva.md); its --data is mnist.tar.

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
        aist: Dances on the test and validation songs of this AIST++ copy, instead of synthesised songs.
        judges: Folder to keep GODIVA's judges of digits in, or to take them from; by default in OUT.
        floor: A GODIVA that was trained without captions, for a control row.
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
    from laban.evaluate import own
    from laban.evaluate.motions import read_folder
    from laban.evaluate.report import markdown
    from laban.evaluate.run import SHIPPED, Settings
    from laban.evaluate.run import evaluate as whole
    from laban.evaluate.variants import GUIDANCE, STEPS

    if threads is not None:
        torch.set_num_threads(threads)
    settings = Settings(split, cases, repeats, seed, steps, guidance, quick)
    loaded: System | None = laban.load(system, device=device) if system else None
    corpus = Corpus.open(data) if loaded is None else loaded.open_data(data, loaded.config)
    given = read_folder(motions) if motions is not None else []
    special = {k: v for k, v in (("aist", aist), ("judges", judges), ("floor", floor)) if v is not None}
    for name in special:
        if loaded is None or name not in loaded.own_options:
            raise InputError(f"--{name} is not about {loaded.name if loaded else 'motions'}. Leave it out.")
    if loaded is not None and loaded.own_protocol:
        if (split, repeats, steps, guidance, evaluator) != (Settings.split, Settings.repeats, STEPS, GUIDANCE, ()):
            raise InputError(
                f"{loaded.name} is not scored beside captions: leave out --split, --repeats, --steps, --guidance and "
                "--evaluator."
            )
        facts = own.evaluate(loaded, corpus, out, cases=cases, seed=seed, quick=quick, quiet=quiet or json, **special)
        return tell(facts, own.markdown(facts), out, json, quiet)
    facts = whole(corpus, out, settings, system=loaded, motions=given, judges=evaluator or SHIPPED, quiet=quiet or json)
    return tell(facts, markdown(facts), out, json, quiet)


def tell(facts: dict[str, Any], report: str, out: Path, json: bool, quiet: bool) -> int:
    """The report on stdout. Returns: 0."""
    if json:
        print_json(facts)
    elif not quiet:
        print(report)
        print(f"written: {out}")
    return 0
