"""`laban evaluate`: a system, or motions from files, scored beside real motion and control rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from laban.commands.output import check_number, print_json
from laban.errors import InputError

if TYPE_CHECKING:
    from laban.evaluate.long import LongSettings
    from laban.evaluate.run import Settings
    from laban.systems.base import System


def evaluate(
    system: Annotated[str, tyro.conf.arg(metavar="SYSTEM"), tyro.conf.Positional] = "",
    /,
    *,
    out: Path,
    data: Path | None = None,
    protocol: Literal["single", "long"] = "single",
    motions: Path | None = None,
    split: str = "test",
    repeats: int | None = None,
    cases: int | None = None,
    steps: tuple[int, ...] = (1, 2, 5, 10, 18, 25),
    guidance: tuple[float, ...] = (1, 2, 3, 4, 5, 6, 7),
    quick: bool = False,
    evaluator: tuple[Path, ...] = (),
    compositions: int | None = None,
    length: int | None = None,
    beside: tuple[str, ...] = ("momask",),
    directional: bool = False,
    aist: Path | None = None,
    judges: Path | None = None,
    floor: Path | None = None,
    babel: Path | None = None,
    features: Path | None = None,
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

    --protocol long is FlowMDM's for long motion instead: compositions of many texts, scored by segment and at their
    boundaries. It writes OUT/long.md and long.json; its full size is --compositions 32 --length 32 --repeats 10.

    Args:
        system: Shipped weights by name, or a folder with weights.
        out: Folder of the report.
        data: Folder that `laban data prepare` wrote.
        protocol: single: a clip per caption. long: compositions.
        motions: Score the .npz and .bvh files of this folder instead of a system; they are named after clips of the
            split, or have a text in them or in captions.json.
        split: Which clips are held out: test or val.
        repeats: Draws of pools of 32 and of pairs (20); long: of all compositions, with other seeds (3).
        cases: Draw so many clips of the split; all by default.
        steps: Rounds of the masked model to compare.
        guidance: Strengths of the text to compare.
        quick: The system as it is and the control rows only: no other steps, guidance, precision, no MultiModality.
            Long: 8 compositions of 8 segments, once.
        evaluator: Folders of evaluators instead of the two that are shipped.
        compositions: Long: how many (16).
        length: Long: segments of each (16).
        beside: Long: other models to compare with; one that makes single motions is cut together.
        directional: Long: only texts that name one side, left or right.
        aist: Fact: dances on the test and validation songs of this AIST++ copy, instead of synthesised songs.
        judges: Godiva: folder to keep the judges of digits in, or to take them from; by default in OUT.
        floor: Godiva: a model that was trained without captions, for a control row.
        babel: Long: BABEL's val.json instead of --data, with --features.
        features: Long: folder of features (T, 263) of AMASS at 20 fps; docs/kmm.md says how files are named.
        seed: Of the motions, the pools and the bootstrap.
        device: cpu, cuda or auto.
        threads: CPU threads of torch.
        json: Print the report as one JSON object.
        quiet: No progress bar, and no table on stdout.
    """
    for name, number, low in (
        ("repeats", repeats, 1), ("cases", cases, 2), ("seed", seed, 0), ("threads", threads, 1),
        ("compositions", compositions, 1), ("length", length, 2),
        *(("steps", n, 1) for n in steps), *(("guidance", g, 0) for g in guidance),
    ):  # fmt: skip
        check_number(f"--{name}", number, low, 2**63 - 1)
    if bool(system) == (motions is not None):
        raise InputError("give a SYSTEM or --motions FOLDER, one of them. For example: laban evaluate momask ...")
    if (babel is None) != (features is None):
        raise InputError("--babel and --features go together: labels, and features of the recordings that they label.")
    if (data is None) == (babel is None):
        raise InputError("give --data FOLDER, as laban data prepare wrote it"
                         + (", or --babel, one of them." if protocol == "long" else "."))  # fmt: skip
    for name, given, where in (
        ("motions", motions is not None, "single"), ("cases", cases is not None, "single"),
        ("compositions", compositions is not None, "long"), ("length", length is not None, "long"),
        ("directional", directional, "long"), ("babel", babel is not None, "long"),
        ("aist", aist is not None, "single"), ("judges", judges is not None, "single"),
        ("floor", floor is not None, "single"),
    ):  # fmt: skip
        if given and protocol != where:
            raise InputError(f"--{name} is of --protocol {where}. Leave it out, or give --protocol {where}.")

    from laban.systems.registry import locate

    others = [name for name in beside if name != system] if protocol == "long" else []
    for name in [system, *others] if system else []:
        locate(name)  # a wrong name is said before torch is loaded

    import torch

    if threads is not None:
        torch.set_num_threads(threads)
    if protocol == "long":
        from laban.evaluate.long import QUICK, LongSettings

        asked = {"compositions": compositions, "length": length, "repeats": repeats}
        size = replace(
            QUICK if quick else LongSettings(), seed=seed, split=split, directional=directional,
            **{name: value for name, value in asked.items() if value is not None},
        )  # fmt: skip
        facts, page = long_report((system, *others), data, babel, features, out, size, evaluator, device, quiet or json)
    else:
        from laban.evaluate.run import Settings

        assert data is not None
        settings = Settings(split, cases, 20 if repeats is None else repeats, seed, steps, guidance, quick)
        special = {k: v for k, v in (("aist", aist), ("judges", judges), ("floor", floor)) if v is not None}
        facts, page = single_report(system, data, motions, out, settings, evaluator, special, device, quiet or json)
    if json:
        print_json(facts)
    elif not quiet:
        print(page)
        print(f"written: {out}")
    return 0


def single_report(
    system: str, data: Path, motions: Path | None, out: Path, settings: Settings, evaluator: tuple[Path, ...],
    special: dict[str, Path], device: str, quiet: bool,
) -> tuple[dict[str, Any], str]:  # fmt: skip
    """The report beside held-out clips and captions, or a system's own. Returns: its facts, and as Markdown."""
    import laban
    from laban.data.corpus import Corpus
    from laban.evaluate import own_protocol
    from laban.evaluate.motions import read_folder
    from laban.evaluate.protocols import PROTOCOLS
    from laban.evaluate.report import markdown
    from laban.evaluate.run import SHIPPED, Settings
    from laban.evaluate.run import evaluate as whole

    loaded: System | None = laban.load(system, device=device) if system else None
    corpus = Corpus.open(data) if loaded is None else loaded.open_data(data, loaded.config)
    given = read_folder(motions) if motions is not None else []
    own = PROTOCOLS.get(loaded.name) if loaded is not None else None
    for name in special:
        if own is None or name not in own.options:
            raise InputError(f"--{name} is not about {loaded.name if loaded else 'motions'}. Leave it out.")
    if loaded is not None and own is not None:
        plain = Settings(cases=settings.cases, seed=settings.seed, quick=settings.quick)
        if evaluator or settings != plain:
            raise InputError(
                f"{loaded.name} is not scored beside captions: leave out --split, --repeats, --steps, --guidance and "
                "--evaluator."
            )
        facts = own_protocol.evaluate(
            own, loaded, corpus, out, cases=settings.cases, seed=settings.seed, quick=settings.quick, quiet=quiet,
            **special,
        )  # fmt: skip
        return facts, own_protocol.markdown(facts)
    facts = whole(corpus, out, settings, system=loaded, motions=given, judges=evaluator or SHIPPED, quiet=quiet)
    return facts, markdown(facts)


def long_report(
    systems: tuple[str, ...], data: Path | None, babel: Path | None, features: Path | None, out: Path,
    size: LongSettings, evaluator: tuple[Path, ...], device: str, quiet: bool,
) -> tuple[dict[str, Any], str]:  # fmt: skip
    """The report of `--protocol long`. Returns: its facts, and as Markdown."""
    from laban.data.corpus import Corpus
    from laban.evaluate import long
    from laban.systems.capabilities import MakesMotion, load_as
    from laban.systems.evaluator.system import SHIPPED

    if babel is not None and features is not None:
        source = long.of_babel(babel, features)
    else:
        assert data is not None
        source = long.of_corpus(Corpus.open(data), size)
    loaded = [load_as(MakesMotion, name, device, "--protocol long") for name in systems]
    facts = long.evaluate(source, out, size, loaded[0], loaded[1:], evaluator or SHIPPED, quiet)
    return facts, long.markdown(facts)
