"""`laban evaluate SYSTEM --protocol long`: FlowMDM's composition protocol (laban/metrics/long_motion.py), as a report.

Every row performs the same compositions of (text, length): a system that composes, at one go; one that makes single
motions, cut together with no transition at all. Beside them stand real motion and real clips cut together.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from laban.data.corpora import babel
from laban.data.corpora.babel_scripts import compositions, directional, pairs, single_actions
from laban.errors import InputError
from laban.evaluate import cases
from laban.evaluate.machine import machine
from laban.evaluate.report import table
from laban.evaluate.score import encoded
from laban.io.atomic import replacing
from laban.metrics import control
from laban.metrics.composition import WINDOW
from laban.metrics.long_motion import CompositionScores, PerformedScript, Reference
from laban.motion import humanml, rotation
from laban.systems.base import System
from laban.systems.capabilities import Composes
from laban.systems.evaluator.system import SHIPPED, Evaluator
from laban.systems.requests import TextRequest
from laban.version import __version__
from laban.work import Counter, Progress, ignore

if TYPE_CHECKING:
    from laban.data.corpus import Corpus

FRAMES = (30, 200)
"""Shortest and longest segment, in frames at the protocol's 30 fps."""
FULL = (32, 32, 10)
"""Compositions, segments of each and repeats, as FlowMDM has them."""
FPS = humanml.HUMANML.fps
Script = list[tuple[str, int]]


@dataclass(frozen=True)
class LongSettings:
    """What is performed. The size is a quarter of FlowMDM's in segments and 3 of its 10 repeats by default."""

    compositions: int = 16
    length: int = 16  # segments of a composition
    repeats: int = 3
    seed: int = 0
    split: str = "test"
    directional: bool = False  # only texts that name one side, left or right

    def __post_init__(self) -> None:
        for name, low in (("compositions", 1), ("length", 2), ("repeats", 1), ("seed", 0)):
            if getattr(self, name) < low:
                raise InputError(f"evaluate: {name} is {getattr(self, name)}, expected at least {low}.")


QUICK = LongSettings(compositions=8, length=8, repeats=1)


@dataclass
class Source:
    """Where texts and real motions come from: actions to compose, real segments, and real pairs if there are any."""

    name: str
    licence: str
    actions: list[babel.Action]
    real: list[tuple[np.ndarray, str]]
    pairs: list[PerformedScript]


def of_corpus(corpus: Corpus, settings: LongSettings) -> Source:
    """Captions and clips of a held-out split. Raises: InputError if it leaks or holds no clip of 1 to 6.7 s."""
    found = cases.leaks(corpus, settings.split)
    if found:
        raise InputError(f"evaluate: split {settings.split!r} is not held out: {'; '.join(found)}. Prepare it again.")
    low, high = (n * FPS / 30 for n in FRAMES)
    held = [c for c in cases.choose(corpus, settings.split, None, settings.seed) if low <= len(c.joints) <= high]
    actions = [babel.Action(c.caption, 0.0, c.seconds) for c in held]
    name = f"{', '.join(corpus.names)}, split {settings.split} (fingerprint {corpus.fingerprint})"
    return Source(name, "; ".join(corpus.licences), actions, [(c.joints, c.caption) for c in held], [])


def of_babel(labels: Path, folder: Path) -> Source:
    """BABEL's label file over (T, 263) features of AMASS at 20 fps.

    Raises: as `babel.read` and `babel.features`; InputError for features of another layout.
    """
    made = Source(f"BABEL, {labels.name}", "BABEL's and AMASS's own", [], [], [])
    for recording in babel.read(labels):
        rows = babel.features(folder, recording)
        if rows.shape[1] != humanml.HUMANML.width:
            raise InputError(
                f"evaluate: {recording.path} has features of {rows.shape[1]} columns; the evaluators and systems work "
                f"on {humanml.HUMANML.width} at {FPS:g} fps. Give those."
            )
        joints = np.asarray(humanml.decode(rows.astype(np.float64)))
        for action in single_actions([recording], *FRAMES):
            part = joints[round(action.start * FPS) : round(action.end * FPS)]
            if len(part) >= cases.MIN_FRAMES:
                made.actions.append(action)
                made.real.append((part, action.text))
        for pair in pairs(recording, 30.0, *FRAMES):
            start, middle, end = (min(round(t * FPS), len(joints)) for t in (pair.start, pair.middle, pair.end))
            if end - middle >= cases.MIN_FRAMES:
                texts = pair.first.text, pair.second.text
                made.pairs.append(PerformedScript(joints[start:end], texts, (middle - start, end - start)))
    return made


class Judges:
    """Evaluators as what the protocol asks for; joints are encoded once for all of them."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.loaded = {f"evaluator {i}": Evaluator.load(path) for i, path in enumerate(folders)}
        for name, judge in self.loaded.items():
            if judge.layout is not humanml.HUMANML:
                raise InputError(f"evaluate: {name} is of {judge.layout.name}, expected {humanml.HUMANML.name}.")

    def motions(self, motions: Sequence[np.ndarray]) -> Mapping[str, np.ndarray]:
        """Joints (T, 22, 3) -> per evaluator (N, E)."""
        features = encoded(motions)
        return {name: judge.embed_motions(features) for name, judge in self.loaded.items()}

    def texts(self, texts: Sequence[str]) -> Mapping[str, np.ndarray]:
        """Captions -> per evaluator (N, E)."""
        return {name: judge.embed_texts(list(texts)) for name, judge in self.loaded.items()}


def evaluate(
    source: Source,
    out: Path,
    settings: LongSettings,
    system: System,
    beside: Sequence[System] = (),
    judges: Sequence[Path] = SHIPPED,
    progress: Progress = ignore,
) -> dict[str, Any]:
    """Perform, score, and write OUT/long.md and OUT/long.json.

    Args:
        source: what is composed and compared with.
        out: the folder, made if absent.
        settings: the size.
        system: the first row.
        beside: the rows after it.
        judges: folders of evaluators.
        progress: told of segments that are performed.
    Returns: what long.json holds.
    Raises: InputError if nothing can be composed or scored; what a system says of a text that it refuses.
    """
    actions = directional(source.actions) if settings.directional else source.actions
    real = [(m, t) for m, t in source.real if not settings.directional or directional([babel.Action(t, 0, 1)])]
    scripts = compositions(
        actions, settings.compositions, settings.length, settings.seed, low=FRAMES[0], high=FRAMES[1]
    )
    judging = Judges(judges)
    boundaries = settings.compositions * (settings.length - 1)
    reference = Reference(real, judging, boundaries, settings.seed)
    rows = [row_of("real", "real", reference.itself(settings.repeats))]
    if source.pairs:
        rows.append(row_of("real, TEACH's pairs", "real", reference.score([source.pairs] * settings.repeats)))
    rng = np.random.default_rng([settings.seed, 4])
    cut = [[cut_together(script, drawn(script, real, rng)) for script in scripts] for _ in range(settings.repeats)]
    rows.append(row_of("real clips, hard cut", "control", reference.score(cut)))
    total = (1 + len(beside)) * settings.repeats * settings.compositions * settings.length
    counter = Counter(progress, total, "evaluate")
    for performer in (system, *beside):
        counter.note(performer.name)
        begin, seconds = time.process_time(), 0.0
        made: list[list[PerformedScript]] = []
        for repeat in range(settings.repeats):
            made.append([])
            for number, script in enumerate(scripts):
                made[-1].append(performed(performer, script, settings.seed + repeat, number))
                seconds += len(made[-1][-1].joints) / FPS
                counter.add(len(script))
        cost = (time.process_time() - begin) / seconds
        name = performer.name if isinstance(performer, Composes) else f"{performer.name}, hard cut"
        rows.append(row_of(name, "model", reference.score(made), cost, performer.provenance.hash))
    facts: dict[str, Any] = {
        "laban": __version__,
        "machine": machine(),
        "settings": asdict(settings),
        "data": {"name": source.name, "licence": source.licence, "real": len(real), "actions": len(actions),
                 "captions": len({t for _, t in real}), "pairs": len(source.pairs), "jerk": reference.level},
        "evaluators": {
            name: {"weights": judge.provenance.hash, "dimensions": judge.config.embedding}
            for name, judge in judging.loaded.items()
        },
        "compositions": scripts,
        "rows": rows,
    }  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    for path, text in (
        (out / "long.json", json.dumps(facts, indent=1, allow_nan=False) + "\n"), (out / "long.md", markdown(facts)),
    ):  # fmt: skip
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return facts


def performed(system: System, script: Script, seed: int, number: int) -> PerformedScript:
    """A composition by a system, without clean-up of feet; single motions are cut together."""
    requests = [TextRequest(text, frames / 30) for text, frames in script]
    if isinstance(system, Composes):
        motion = system.compose(requests, seed, index=number)
        bounds = tuple(round(s.end * motion.fps) for s in motion.segments)
        return PerformedScript(motion.joints(), tuple(text for text, _ in script), bounds)
    clips = [m.joints() for m in system.generate(requests, seed, first_index=number * len(script))]
    return cut_together(script, clips)


def drawn(script: Script, real: Sequence[tuple[np.ndarray, str]], rng: np.random.Generator) -> list[np.ndarray]:
    """A real clip of each text, at its own length."""
    by_text: dict[str, list[np.ndarray]] = {}
    for motion, text in real:
        by_text.setdefault(text, []).append(motion)
    return [by_text[text][int(rng.integers(len(by_text[text])))] for text, _ in script]


def cut_together(script: Script, clips: Sequence[np.ndarray]) -> PerformedScript:
    """Clips end to end, each begun at the place and heading where the one before it ended; nothing is blended."""
    parts: list[np.ndarray] = []
    for clip in clips:
        moved = np.asarray(clip, np.float64)
        if parts:
            last, flat = parts[-1], np.array([1.0, 0.0, 1.0])
            turn = rotation.between(control.facing(moved[0]), control.facing(last[-1]))
            moved = rotation.rotate(turn, moved)
            place = last[-1, 0] + (last[-1, 0] - last[-2, 0])  # it goes on as fast as it went
            moved = moved + (place - moved[0, 0]) * flat
        parts.append(moved)
    bounds = tuple(int(n) for n in np.cumsum([len(p) for p in parts]))
    return PerformedScript(np.concatenate(parts), tuple(text for text, _ in script), bounds)


def row_of(
    name: str, kind: str, scores: CompositionScores, cost: float | None = None, weights: str | None = None
) -> dict:
    """A row, JSON-able. cost: CPU seconds per second of motion."""
    return {"name": name, "kind": kind, "cost": cost, "weights": weights, **asdict(scores)}


def markdown(facts: dict[str, Any]) -> str:
    """The report."""
    size, data = facts["settings"], facts["data"]
    full = (size["compositions"], size["length"], size["repeats"]) == FULL
    count = size["compositions"] * size["length"]
    lines = ["# Long motion", "", f"laban {facts['laban']} | {facts['machine']}", ""]
    lines += [
        f"- FlowMDM's protocol: {size['compositions']} compositions of {size['length']} segments of 1 to 6.7 s, half "
        f"of the lengths a real clip's, half drawn; "
        + ("one repeat" if size["repeats"] == 1 else f"{size['repeats']} repeats, mean and 1.96 sigma / sqrt(n)")
        + ("." if full else f". FlowMDM's size is {FULL[0]} of {FULL[1]}, {FULL[2]} repeats: this is smaller."),
        f"- Data: {data['name']}; {data['real']} real segments with {data['captions']} different texts"
        + (", only those that name one side" if size["directional"] else "")
        + (f"; {data['pairs']} pairs" if data["pairs"] else "") + f" ({data['licence']}).",
        f"- FID of a model's row: {count} segments, and {size['compositions'] * (size['length'] - 1)} windows of "
        f"{WINDOW} frames around boundaries, against all real ones; of the real row: one half against the other, so of "
        "fewer.",
        f"- AUJ measures the distance from the mean jerk of real motion here, {data['jerk']:.4f} m per frame^3 at "
        f"{FPS:g} fps; windows of the real row lie anywhere inside real clips.",
        *(
            f"- {name}: weights {e['weights'][:16]}, {e['dimensions']} dimensions."
            for name, e in facts["evaluators"].items()
        ),
        *(f"- {r['name']}: weights {r['weights'][:16]}." for r in facts["rows"] if r["weights"]), "",
    ]  # fmt: skip
    for name in facts["evaluators"]:
        columns = ("R-precision", "R-precision shuffled", "MM-distance", "FID", "diversity", "transition FID",
                   "transition diversity")  # fmt: skip
        head = ["", "R@3", "R@3, texts shuffled", "MM-Dist", "FID", "Diversity", "transition FID", "its diversity"]
        found = [[r["name"], *(_cell(r["judged"].get(name, {}).get(c)) for c in columns)] for r in facts["rows"]]
        lines += [f"## Segments and transitions, {name}", "", *table(head, found), *beyond_real(facts["rows"], name)]
    found = [
        [r["name"], _cell(r["seams"].get("PJ"), 4), _cell(r["seams"].get("AUJ")),
         "-" if r["cost"] is None else f"{r['cost']:.3f}"]
        for r in facts["rows"]
    ]  # fmt: skip
    head = ["", "PJ m/frame^3", "AUJ", "CPU s per s of motion"]
    return "\n".join([*lines, "## Jerk at transitions", "", *table(head, found)])


def beyond_real(rows: Sequence[dict[str, Any]], evaluator: str) -> list[str]:
    """A sentence for scores of a model that are better than real motion's: there the figure says nothing more."""
    best = rows[0]["judged"][evaluator]
    said = []
    for row in rows:
        mine = row["judged"].get(evaluator, {})
        for figure, sign in (("R-precision", 1), ("MM-distance", -1)):
            if row["kind"] == "model" and figure in mine and figure in best:
                if sign * (mine[figure]["mean"] - best[figure]["mean"]) > 0:
                    said.append(f"{figure} of {row['name']}")
    return [f"Better than real motion, so no longer informative: {', '.join(said)}.", ""] if said else []


def _cell(value: Mapping[str, float] | None, digits: int = 3) -> str:
    if value is None:
        return "-"
    spread = f" ±{value['half']:.{digits}f}" if value["half"] >= 0.5 * 10**-digits else ""
    return f"{value['mean']:.{digits}f}{spread}"
