"""A system, or motions from files, scored beside real motion and control rows."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from laban.actions.context import Context
from laban.actions.options import bounded, check, described
from laban.errors import InputError
from laban.systems.options import ENDLESS, GUIDANCE, SEED, STEPS, Bounds

SINGLE = ("motions", "cases", "aist", "judges", "floor")
"""Options of --protocol single alone."""
LONG = ("compositions", "length", "directional", "babel")
"""Options of --protocol long alone."""
AUTHORING = "authoring"
"""What is scored instead of a system: timelines performed."""
SPECIAL = ("aist", "judges", "floor")
"""Options of protocols that one system alone has (laban.evaluate.protocols)."""


def _many(low: int) -> Bounds:
    return Bounds(low, ENDLESS, whole=True)


@dataclass(frozen=True)
class EvaluateOptions:
    """What is scored, beside what, and how much of it."""

    out: Path = described(MISSING, "Folder of the report.")
    system: str = described(
        "", "Shipped weights by name, or a folder with weights; authoring: timelines performed (docs/authoring.md)."
    )
    data: Path | None = described(None, "Folder that `laban data prepare` wrote.")
    protocol: Literal["single", "long"] = described("single", "single: a clip per caption. long: compositions.")
    motions: Path | None = described(
        None,
        "Score the .npz and .bvh files of this folder instead of a system; they are named after clips of the split, or "
        "have a text in them or in captions.json.",
    )
    split: str = described("test", "Which clips are held out: test or val.")
    repeats: int | None = bounded(
        None, _many(1), "Draws of pools of 32 and of pairs (20); long: of all compositions, with other seeds (3)."
    )
    cases: int | None = bounded(None, _many(2), "Draw so many clips of the split; all by default.")
    steps: tuple[int, ...] = described((1, 2, 5, 10, 18, 25), "Rounds of the masked model to compare.")
    guidance: tuple[float, ...] = described((1, 2, 3, 4, 5, 6, 7), "Strengths of the text to compare.")
    quick: bool = described(
        False,
        "The system as it is and the control rows only: no other steps, guidance, precision, no MultiModality. Long: 8 "
        "compositions of 8 segments, once.",
    )
    evaluator: tuple[Path, ...] = described((), "Folders of evaluators instead of the two that are shipped.")
    compositions: int | None = bounded(None, _many(1), "Long: how many (16).")
    length: int | None = bounded(None, _many(2), "Long: segments of each (16).")
    beside: tuple[str, ...] = described(
        ("momask",), "Long: other models to compare with; one that makes single motions is cut together."
    )
    directional: bool = described(False, "Long: only texts that name one side, left or right.")
    aist: Path | None = described(
        None, "Fact: dances on the test and validation songs of this AIST++ copy, instead of synthesised songs."
    )
    judges: Path | None = described(
        None, "Godiva: folder to keep the judges of digits in, or to take them from; by default in OUT."
    )
    floor: Path | None = described(None, "Godiva: a model that was trained without captions, for a control row.")
    babel: Path | None = described(None, "Long: BABEL's val.json instead of --data, with --features.")
    features: Path | None = described(
        None, "Long: folder of features (T, 263) of AMASS at 20 fps; docs/kmm.md says how files are named."
    )
    seed: int = bounded(0, SEED, "Of the motions, the pools and the bootstrap.")

    def checked(self) -> EvaluateOptions:
        """The same options. Raises: InputError for what is out of bounds, or does not go together."""
        check(self)
        for name, values, bounds in (("steps", self.steps, STEPS), ("guidance", self.guidance, GUIDANCE)):
            for value in values:
                bounds.check(f"--{name}", value)
        if bool(self.system) == (self.motions is not None):
            raise InputError("give a SYSTEM or --motions FOLDER, one of them. For example: laban evaluate momask ...")
        if (self.babel is None) != (self.features is None):
            raise InputError(
                "--babel and --features go together: labels, and features of the recordings that they label."
            )
        if (self.data is None) == (self.babel is None):
            or_babel = ", or --babel, one of them." if self.protocol == "long" else "."
            raise InputError(f"give --data FOLDER, as laban data prepare wrote it{or_babel}")
        for name in SINGLE if self.protocol == "long" else LONG:
            if getattr(self, name) not in (None, False):
                where = "long" if name in LONG else "single"
                raise InputError(f"--{name} is of --protocol {where}. Leave it out, or give --protocol {where}.")
        return self


@dataclass(frozen=True)
class Evaluation:
    """A report: its facts, which report.json holds, and as a page of Markdown."""

    facts: dict[str, Any]
    page: str


def evaluate(options: EvaluateOptions, context: Context) -> Evaluation:
    """Scores a system on held-out clips, beside real motion and rows that a score has to tell from it.

    Writes OUT/report.md, report.json, plots and the motions that were made. Called again with the same options it goes
    on where a stopped run stood. What the figures mean: docs/evaluation.md.

    Args:
        options: what is scored, and how.
        context: its models are used; told of progress; asked whether to go on.
    Raises: InputError for options that do not go together, or for data, models or motions that cannot be used.
    """
    options.checked()
    if options.system == AUTHORING:
        return _authoring(options, context)
    from laban.systems.registry import locate

    for name in _systems(options):
        locate(name)  # a wrong name is said before torch is loaded
    return _long(options, context) if options.protocol == "long" else _single(options, context)


def _authoring(options: EvaluateOptions, context: Context) -> Evaluation:
    """The report on timelines performed: goals of held-out clips, cases from a desk, rows that cheat."""
    from laban.authoring import evaluation
    from laban.data.corpus import Corpus

    if options.data is None or options.protocol != "single":
        raise InputError("evaluate authoring: give --data FOLDER, as laban data prepare wrote it, and no --protocol.")
    facts = evaluation.evaluate(
        Corpus.open(options.data),
        options.out,
        context,
        clips=options.cases or evaluation.CLIPS,
        seed=options.seed,
        split=options.split,
        quick=options.quick,
    )
    return Evaluation(facts, evaluation.markdown(facts))


def _systems(options: EvaluateOptions) -> list[str]:
    if not options.system:
        return []
    others = [name for name in options.beside if name != options.system] if options.protocol == "long" else []
    return [options.system, *others]


def _single(options: EvaluateOptions, context: Context) -> Evaluation:
    """The report beside held-out clips and captions, or a system's own."""
    from laban.data.corpus import Corpus
    from laban.evaluate import own_protocol
    from laban.evaluate.motions import read_folder
    from laban.evaluate.protocols import PROTOCOLS
    from laban.evaluate.report import markdown
    from laban.evaluate.run import SHIPPED, Settings
    from laban.evaluate.run import evaluate as whole
    from laban.systems.base import System
    from laban.systems.requests import Trial

    assert options.data is not None
    o, repeats = options, 20 if options.repeats is None else options.repeats
    settings = Settings(o.split, o.cases, repeats, o.seed, o.steps, o.guidance, o.quick)
    loaded: System | None = context.models.load(System, o.system, context.device) if o.system else None
    corpus = Corpus.open(options.data) if loaded is None else loaded.open_data(options.data, loaded.config)
    given = read_folder(o.motions) if o.motions is not None else []
    own = PROTOCOLS.get(loaded.name) if loaded is not None else None
    special = {name: getattr(o, name) for name in SPECIAL if getattr(o, name) is not None}
    for name in special:
        if own is None or name not in own.options:
            raise InputError(f"--{name} is not about {loaded.name if loaded else 'motions'}. Leave it out.")
    if loaded is None or own is None:
        facts = whole(
            corpus, o.out, settings, system=loaded, motions=given, judges=o.evaluator or SHIPPED,
            progress=context.advance,
        )  # fmt: skip
        return Evaluation(facts, markdown(facts))
    if o.evaluator or settings != Settings(cases=o.cases, seed=o.seed, quick=o.quick):
        raise InputError(
            f"{loaded.name} is not scored beside captions: leave out --split, --repeats, --steps, --guidance and "
            "--evaluator."
        )
    facts = own_protocol.evaluate(
        own, loaded, corpus, o.out, Trial(o.cases, o.seed, o.quick), progress=context.advance, **special
    )
    return Evaluation(facts, own_protocol.markdown(facts))


def _long(options: EvaluateOptions, context: Context) -> Evaluation:
    """The report of `--protocol long`."""
    from laban.data.corpus import Corpus
    from laban.evaluate import long
    from laban.systems.capabilities import MakesMotion
    from laban.systems.evaluator.system import SHIPPED

    asked = {name: getattr(options, name) for name in ("compositions", "length", "repeats")}
    size = replace(
        long.QUICK if options.quick else long.LongSettings(), seed=options.seed, split=options.split,
        directional=options.directional, **{name: value for name, value in asked.items() if value is not None},
    )  # fmt: skip
    if options.babel is not None and options.features is not None:
        source = long.of_babel(options.babel, options.features)
    else:
        assert options.data is not None
        source = long.of_corpus(Corpus.open(options.data), size)
    first, *others = [
        context.models.load(MakesMotion, name, context.device, "--protocol long") for name in _systems(options)
    ]
    judges = options.evaluator or SHIPPED
    facts = long.evaluate(source, options.out, size, first, others, judges, context.advance)
    return Evaluation(facts, long.markdown(facts))
