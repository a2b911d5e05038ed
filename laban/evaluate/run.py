"""A whole evaluation: cases, control rows, the system's rows, scores, files."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from laban import formats
from laban.errors import InputError
from laban.evaluate import cases as choosing
from laban.evaluate import controls, report, variants
from laban.evaluate.cases import Case
from laban.evaluate.machine import machine, peak_megabytes
from laban.evaluate.motions import Found
from laban.evaluate.protocols import tables_of
from laban.evaluate.score import Figures, Scorer, VariantRow, control_chance
from laban.io.atomic import replacing
from laban.metrics import control
from laban.motion import humanml
from laban.motion.motion import Motion
from laban.systems.base import System
from laban.systems.evaluator.system import SHIPPED, Evaluator
from laban.version import __version__
from laban.work import Counter, Progress, ignore

if TYPE_CHECKING:
    from laban.data.corpus import Corpus


@dataclass(frozen=True)
class Settings:
    """What an evaluation is of; all of it stands in the report."""

    split: str = "test"
    cases: int | None = None  # clips drawn from the split; None: all
    repeats: int = 20  # draws of pools of 32 and of pairs
    seed: int = 0
    steps: tuple[int, ...] = variants.STEPS
    guidance: tuple[float, ...] = variants.GUIDANCE
    quick: bool = False  # no sweeps and no MultiModality
    draws: int = 1000  # of the bootstrap

    def __post_init__(self) -> None:
        for name, low in (("repeats", 1), ("seed", 0), ("draws", 10), ("cases", 2)):
            value = getattr(self, name)
            if value is not None and value < low:
                raise InputError(f"evaluate: {name} is {value}, expected at least {low}.")


def evaluate(
    corpus: Corpus,
    out: Path,
    settings: Settings,
    *,
    system: System | None = None,
    motions: Sequence[Found] = (),
    judges: Sequence[Path] = SHIPPED,
    progress: Progress = ignore,
) -> dict[str, Any]:
    """Score a system, or motions from files, beside real motion and control rows; write the report into `out`.

    Args:
        corpus: of real motion.
        out: report.json, report.md, plots and the generated motions; what is there of an earlier run with the same
            weights and settings is used.
        settings: how much is generated and scored.
        system: the model; None: `motions` are scored.
        motions: from files.
        judges: folders of evaluators, at least two of different seeds for a result that does not hang on one.
        progress: told of clips that are ready or scored.
    Returns: what report.json holds.
    Raises: InputError if the split leaks into the training split, or for motions that cannot be scored with this
        corpus; WeightsError if an evaluator is missing or damaged.
    """
    found = choosing.leaks(corpus, settings.split)
    if found:
        raise InputError(f"evaluate: split {settings.split!r} is not held out: {'; '.join(found)}. Prepare it again.")
    held = choosing.choose(corpus, settings.split, settings.cases, settings.seed)
    given = [placed(motion, corpus, held) for motion in motions]
    if given and all(case.id for case in given):
        by_id = {case.id: case for case in held}
        held = [by_id[case.id] for case in given]
    loaded = {f"evaluator {i}": Evaluator.load(path) for i, path in enumerate(judges)}
    for name, judge in loaded.items():
        if judge.layout is not corpus.layout:
            raise InputError(f"evaluate: {name} is of {judge.layout.name}, the corpus of {corpus.layout.name}.")
    mirrored = choosing.mirror_images(corpus, settings.split, held)
    scorer = Scorer(loaded, [c.joints for c in held], settings.repeats, settings.draws, settings.seed)
    chosen = variants.variants(system, settings.steps, settings.guidance, quick=settings.quick) if system else []
    count = len(held)
    many = 0 if settings.quick or not system else min(variants.TEXTS, count) * variants.SAMPLES
    total = (8 + 2 * len(chosen)) * count + many
    rows: list[Figures] = []
    counter = Counter(progress, total, "evaluate")
    chance = control_chance(row_of("real", "real", held))
    for row in every_row(held, mirrored, given, system, chosen, settings, out, counter):
        counter.note(row.name)
        rows.append(scorer.score(row))
        counter.add(count)
    facts: dict[str, Any] = {
        "laban": __version__,
        "machine": machine(),
        "peak_megabytes": peak_megabytes(),
        "settings": asdict(settings),
        "data": {
            "corpora": list(corpus.names), "licence": "; ".join(corpus.licences), "fingerprint": corpus.fingerprint,
            "split": settings.split, "clips": count, "fps": corpus.fps,
        },
        "leakage": leakage(corpus, system, loaded),
        "evaluators": {
            name: {"weights": judge.provenance.hash, "dimensions": judge.config.embedding}
            for name, judge in loaded.items()
        },
        "system": system_facts(system, settings) if system else None,
        "seeds": {"case": [[c.id, settings.seed, i] for i, c in enumerate(held)]},
        "control_chance": chance,
        "export_error": export_error(held),
        "rows": rows,
        "own_tables": tables_of(system, corpus, settings.split, settings.seed) if system else [],
    }  # fmt: skip
    facts["sees"] = report.distinguishing_metrics(rows)
    out.mkdir(parents=True, exist_ok=True)
    with replacing(out / "report.json") as temporary:
        temporary.write_text(json.dumps(facts, indent=1, allow_nan=False) + "\n")
    report.write(facts, out)
    return facts


def row_of(
    name: str, kind: str, held: Sequence[Case], clips: list[np.ndarray] | None = None, **more: Any
) -> VariantRow:
    """A row with the captions of the cases, of their own joints if no other clips are given."""
    joints = [c.joints for c in held] if clips is None else clips
    return VariantRow(name, kind, joints, [c.caption for c in held], [c.expects for c in held], **more)


def every_row(
    held: list[Case], mirrored: list[Case], given: list[Case], system: System | None,
    chosen: Sequence[variants.Variant], settings: Settings, out: Path, counter: Counter,
) -> Iterator[VariantRow]:  # fmt: skip
    """Real motion, the control rows, then the system's or the given ones; each is made when it is asked for."""
    rng = np.random.default_rng([settings.seed, 4])
    yield row_of("real", "real", held, aligned=True)
    if mirrored:
        yield row_of("real, mirrored", "real", mirrored)
    yield row_of("features round trip", "control", held, [controls.round_trip(c.joints) for c in held], aligned=True)
    if system is not None:
        made = [system.reconstruct(humanml.features_of(c.joints).astype(np.float32)) for c in held]
        clips = [m.joints() for m in made if m is not None]
        if len(clips) == len(held):
            yield row_of("tokenizer round trip", "control", held, clips, aligned=True)
    for name, size in (("jitter 2 cm", controls.JITTER), ("noise 10 cm", controls.NOISE)):
        if size == controls.NOISE:
            frozen = [controls.frozen(c.joints) for c in held]
            yield row_of("frozen", "control", held, frozen, aligned=True)
        yield row_of(name, "control", held, [controls.shaken(c.joints, size, rng) for c in held], aligned=True)
    order = rng.permutation(len(held))
    dealt = [replace(c, joints=held[i].joints) for c, i in zip(held, order, strict=True)]
    yield row_of("shuffled captions", "control", dealt, deal=True)
    if given:
        aligned = all(case.id for case in given)
        yield row_of("motions", "model", given, aligned=aligned)
    for variant in chosen:
        assert system is not None
        place = out / "motions" / variants.slug(variant.name)
        counter.note(variant.name)
        made_of = variants.make(system, variant, held, settings.seed, place, counter.add)
        row = row_of(
            variant.name, "model", held, made_of.clips, seconds=made_of.seconds, axis=variant.axis, at=variant.at,
            settings={**variant.options, "precision": variant.precision},
        )  # fmt: skip
        if not variant.axis and not variant.options and variant.precision == "32" and not settings.quick:
            picks = np.random.default_rng([settings.seed, 5]).permutation(len(held))[: variants.TEXTS]
            some = [held[i] for i in sorted(picks)]
            group = variants.make(
                system, variant, some, settings.seed + 1, out / "motions" / "many", counter.add, variants.SAMPLES
            )
            row.many = [group.clips[i : i + variants.SAMPLES] for i in range(0, len(group.clips), variants.SAMPLES)]
        yield row


def placed(motion: Found, corpus: Corpus, held: Sequence[Case]) -> Case:
    """A motion from a file as a case: named after a clip of the split, or with a text of its own.

    Its id is empty when it is named after no clip. Raises: InputError for a motion of which nothing says what it shows.
    """
    for case in held:
        if case.id == motion.name:
            return replace(case, joints=motion.joints)
    if motion.text is None or not motion.text.strip():
        raise InputError(
            f"{motion.name}: it is named after no clip of the split and has no text. Name files <clip id>.npz, or "
            'give texts in captions.json: {"name": "a person walks"}.'
        )
    labels = {text: r.labels.get("content", "") for r in corpus.records for text in r.captions}
    return Case("", motion.text, control.CONTENTS.get(labels.get(motion.text, "")), motion.joints)


def export_error(held: Sequence[Case], most: int = 16) -> dict[str, float]:
    """Metres by which joints differ after a motion has been written and read, per format: mean over a few clips."""
    motions = [Motion.from_joints(case.joints, humanml.HUMANML.fps) for case in held[:: max(1, len(held) // most)]]
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for suffix in sorted(formats.ROUND_TRIP):
            path = Path(folder) / f"motion{suffix}"
            errors = []
            for motion in motions:
                formats.write(motion, path)
                errors.append(np.linalg.norm(formats.read(path).joints() - motion.joints(), axis=-1).mean())
            found[suffix] = float(np.mean(errors))
    return found


def leakage(corpus: Corpus, system: System | None, judges: dict[str, Evaluator]) -> dict[str, str]:
    """What is known of each network's training split; a split that leaks has been refused before."""
    said = {"split": "no source, mirror image or equal motion is shared with the training split"}
    networks: dict[str, System] = {**judges, **({system.name: system} if system else {})}
    for name, network in networks.items():
        trained = network.provenance.corpus
        if trained == corpus.fingerprint:
            said[name] = "trained on the training split of this very corpus"
        elif trained:
            said[name] = f"trained on another preparation ({trained}); sources cannot be compared"
        else:
            said[name] = f"its weights do not record which split of {', '.join(network.provenance.data)} they saw"
    return said


def system_facts(system: System, settings: Settings) -> dict[str, Any]:
    """What the report says of the system."""
    p = system.provenance
    sampling = getattr(system.config, "sampling", None)
    return {
        "name": system.name, "preset": p.preset, "weights": p.hash, "data": list(p.data), "licence": p.licence,
        "sampling": asdict(sampling) if sampling is not None else None, "seed": settings.seed,
        "device": str(system.device),
    }  # fmt: skip
