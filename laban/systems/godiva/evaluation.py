"""Does a generated video show the digit and the motion that its caption names? The figures of `laban evaluate godiva`.

Judges (digit_judges.py) are trained on digits that no generator saw. Ceilings: real test videos, and these through
the tokenizer and back. Floors: generated videos under other videos' captions, and a model without captions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from laban.data.corpora.mnist import MOTIONS, MovingDigits, caption
from laban.metrics.intervals import wilson
from laban.metrics.video import relative_matching
from laban.systems.capabilities import MakesVideo, load_as
from laban.systems.godiva.data import check_source
from laban.systems.godiva.digit_judges import Judges
from laban.systems.godiva.system import Godiva
from laban.systems.requests import TextRequest, Trial

if TYPE_CHECKING:
    from laban.data.videos import VideoSource

Pairs = list[tuple[int, int]]
Progress = Callable[[int, int], None]
VIDEOS = 500  # of seen pairs; of other rows 2/5 of it
COMPARED = 200  # real videos whose likelihood is taken
REAL, ROUND, SEEN = "real test videos", "through the tokenizer", "generated, seen pairs"


@dataclass(frozen=True)
class VideoRow:
    """Of `total` videos, how many show the digit, the motion, and both."""

    name: str
    digit: int
    motion: int
    joint: int
    total: int

    def cells(self) -> list[str]:
        """For a table: name, then '19/20 95.0% [76.4, 99.1]' with the 95 % Wilson interval, three times."""
        return [self.name, *(share(hits, self.total) for hits in (self.digit, self.motion, self.joint))]

    def facts(self) -> dict[str, Any]:
        """Shares, their count, and the interval of the joint one."""
        shares = {k: getattr(self, k) / self.total for k in ("digit", "motion", "joint")}
        return {"n": self.total, **shares, "joint_interval": wilson(self.joint, self.total)}


def share(hits: int, total: int) -> str:
    """A count, its percentage and the percentage's 95 % Wilson interval."""
    low, high = wilson(hits, total)
    return f"{hits}/{total} {100 * hits / total:.1f}% [{100 * low:.1f}, {100 * high:.1f}]"


def singles(name: str, found: Sequence[tuple[int, int]], wanted: Pairs) -> VideoRow:
    """Of (digit, motion) as judged and as asked for."""
    both = list(zip(found, wanted, strict=True))
    return VideoRow(
        name, sum(a[0] == b[0] for a, b in both), sum(a[1] == b[1] for a, b in both), sum(a == b for a, b in both),
        len(both),
    )  # fmt: skip


def doubles(name: str, found: Sequence[Mapping[int, int]], wanted: Sequence[Pairs]) -> VideoRow:
    """Two digits: a digit counts when both are there, a motion when the two motions are those named, joint when each
    digit moves as named.
    """
    both = list(zip(found, wanted, strict=True))
    digit = sum(set(a) == {d for d, _ in b} for a, b in both)
    motion = sum(sorted(a.values()) == sorted(m for _, m in b) for a, b in both)
    return VideoRow(name, digit, motion, sum(dict(a) == dict(b) for a, b in both), len(both))


def spread(pairs: Pairs, count: int) -> Pairs:
    """`count` pairs, each as often as the others."""
    return [pairs[n % len(pairs)] for n in range(count)]


def shuffled(rng: np.random.Generator, count: int) -> np.ndarray:
    """A permutation that leaves nothing in its place (a rotation of a random one)."""
    order = rng.permutation(count)
    result = np.empty(count, np.int64)
    result[order] = np.roll(order, 1)
    return result


def of_two(rng: np.random.Generator, pairs: Pairs, count: int) -> list[Pairs]:
    """`count` times two pairs with different digits."""
    found: list[Pairs] = []
    while len(found) < count:
        a, b = (pairs[n] for n in rng.integers(len(pairs), size=2))
        if a[0] != b[0]:
            found.append([a, b])
    return found


def real(
    source: MovingDigits, rng: np.random.Generator, asked: Sequence[Pairs], split: str = "test"
) -> tuple[np.ndarray, list[str]]:
    """Videos (N, L, S, S, 1) uint8 of a split that show the pairs, and their captions, in both forms in turn."""
    examples = [source.make(rng, split, list(pairs), form=n % 2) for n, pairs in enumerate(asked)]
    return np.stack([e.pixels for e in examples]), [e.caption for e in examples]


def generated(
    system: MakesVideo, captions: Sequence[str], seed: int, options: Mapping[str, Any] | None = None,
    advance: Callable[[int], None] | None = None,
) -> np.ndarray:  # fmt: skip
    """A video per caption, (N, L, S, S, C) uint8. `advance` is called with the number of videos of each batch."""
    made: list[np.ndarray] = []
    size = system.config.sampling.batch
    for at in range(0, len(captions), size):
        part = [TextRequest(c) for c in captions[at : at + size]]
        made += [v.pixels for v in system.generate(part, seed, first_index=at, **(options or {}))]
        if advance is not None:
            advance(len(part))
    return np.stack(made)


@dataclass(frozen=True, eq=False)
class Judgement:
    """What the judges say, and of what.

    Attributes:
        facts: JSON-able: {"rows": {name: facts}, "cells": for a table, "likelihood", "score", "step", "lattice"}.
        generated: (N, L, S, S, C) uint8, the videos of the main row.
        real: (N, L, S, S, C) uint8, real videos of the same captions.
        captions: N.
    """

    facts: dict[str, Any]
    generated: np.ndarray
    real: np.ndarray
    captions: list[str]


def judges_of(source: MovingDigits, folder: Path | None) -> Judges:
    """The judges in a folder; if it holds none, new ones (two minutes on one core), kept there."""
    if folder is not None and (folder / "config.json").is_file():
        return Judges.open(folder)
    judges = Judges.train(source)
    if folder is not None:
        judges.save(folder, source)
    return judges


def judged(
    system: Godiva, source: MovingDigits, judges: Judges, trial: Trial, *, split: str = "test",
    floor: MakesVideo | None = None, options: Mapping[str, Any] | None = None, progress: Progress | None = None,
) -> Judgement:  # fmt: skip
    """The rows of the judges, the likelihood of right and wrong captions, and our own score.

    Args:
        system: the model.
        source: of real videos and captions.
        judges: trained on real videos.
        trial: so many videos per row (500); quick: seen pairs and their ceilings and floors only.
        split: of the digits of real videos.
        floor: a model that was trained without captions.
        options: of `Godiva.generate`, instead of the model's.
        progress: called with videos generated and videos in all.
    """
    videos, seed, quick = trial.cases or VIDEOS, trial.seed, trial.quick
    rng = np.random.default_rng(seed)
    fewer = max(20, videos * 2 // 5)
    seen, unseen = source.pairs(seen=True), source.pairs(seen=False)
    total = videos + fewer * ((0 if quick else 2) + (floor is not None))
    done = [0]

    def advance(count: int) -> None:
        done[0] += count
        if progress is not None:
            progress(done[0], total)

    asked = spread([seen[n] for n in rng.permutation(len(seen))], videos)
    pixels, captions = real(source, rng, [[pair] for pair in asked], split)
    made = generated(system, captions, seed, options, advance)
    found = judges.single(made)
    rows = [
        singles(REAL, judges.single(pixels), asked),
        singles(ROUND, judges.single(system.round_trip(pixels)), asked),
        singles(SEEN, found, asked),
    ]
    if not quick:
        held = spread(unseen, fewer)
        names = [caption([pair], n % 2) for n, pair in enumerate(held)]
        rows.append(
            singles(
                "generated, held-out pairs", judges.single(generated(system, names, seed + 1, options, advance)), held
            )
        )
    rows.append(singles("floor: other videos' captions", found, [asked[n] for n in shuffled(rng, videos)]))
    if floor is not None:
        blind = generated(floor, captions[:fewer], seed, options, advance)
        rows.append(singles("floor: a model without captions", judges.single(blind), asked[:fewer]))
    if not quick:
        two = of_two(rng, seen, fewer)
        both, names = real(source, rng, two, split)
        rows.append(doubles("two digits, real", judges.double(both), two))
        rows.append(doubles("two digits, through the tokenizer", judges.double(system.round_trip(both)), two))
        rows.append(
            doubles("two digits, generated", judges.double(generated(system, names, seed + 2, options, advance)), two)
        )
    facts = {
        "rows": {row.name: row.facts() for row in rows},
        "cells": [row.cells() for row in rows],
        "likelihood": likelihood(system, pixels[:COMPARED], captions[:COMPARED], rng),
        "score": own_score(system, made, pixels, captions),
        "step": source.config.step,
        "lattice": source.config.lattice,
    }
    return Judgement(facts, made, pixels, captions)


def likelihood(
    system: Godiva, videos: np.ndarray, captions: Sequence[str], rng: np.random.Generator
) -> dict[str, float]:
    """Nats per token of real videos (N, L, S, S, C) under their captions and under another video's."""
    right = system.likelihood(videos, captions)
    wrong = system.likelihood(videos, [captions[n] for n in shuffled(rng, len(captions))])
    gap = wrong - right
    return {
        "n": len(gap), "right": float(right.mean()), "wrong": float(wrong.mean()), "gap": float(gap.mean()),
        "error": float(gap.std() / len(gap) ** 0.5), "share": float((gap > 0).mean()),
    }  # fmt: skip


def own_score(system: Godiva, made: np.ndarray, real: np.ndarray, captions: Sequence[str]) -> dict[str, float | None]:
    """Our small text-video score of both, and its analogue of RM where the real video's score is above 0.1."""
    ours, theirs = system.rate(made, captions), system.rate(real, captions)
    good = theirs > 0.1  # a ratio to nothing means nothing
    return {
        "generated": float(ours.mean()), "real": float(theirs.mean()), "over": int(good.sum()),
        "rm": 100 * relative_matching(ours[good], theirs[good]) if good.any() else None,
    }  # fmt: skip


def streamed(system: Godiva, source: VideoSource, split: str, seed: int, count: int = COMPARED) -> dict[str, Any]:
    """Scores for videos without digit labels: likelihood only. Raises: InputError for an empty split."""
    stream, rng = source.stream(split), np.random.default_rng(seed)
    examples = [stream(rng) for _ in range(count)]
    pixels, captions = np.stack([e.pixels for e in examples]), [e.caption for e in examples]
    return {"likelihood": likelihood(system, pixels, captions, rng)}


def lines(facts: Mapping[str, Any]) -> list[str]:
    """Markdown of the facts of `judged` or `streamed`."""
    out: list[str] = []
    if "cells" in facts:
        easy = (
            f"Digits move {facts['step']:g} pixels a frame from places on a lattice of {facts['lattice']}. Steps of "
            "whole cells of the tokenizer's grid keep a digit's codes the same in every frame: that flatters every row."
        )
        rows = [("videos", "digit", "motion", "joint"), ("---",) * 4, *facts["cells"]]
        out += [
            "## Judges",
            "",
            "Share of videos that show what the caption names, with 95 % Wilson intervals. " + easy,
            "",
        ]
        out += ["| " + " | ".join(row) + " |" for row in rows]
        out += ["", f"Motions: {', '.join(MOTIONS)}. Held out: digit d with motion (d + 2) mod 4 of them, from 0.", ""]
    n = facts["likelihood"]
    out += [
        "## Likelihood", "",
        f"Nats per token of {n['n']} real test videos: {n['right']:.4f} under their captions, {n['wrong']:.4f} under "
        f"another video's; gap {n['gap']:.4f} +- {n['error']:.4f} (standard error). The right caption is likelier for "
        f"{n['share']:.1%} of the videos.", "",
    ]  # fmt: skip
    if "score" in facts:
        s = facts["score"]
        ratio = "undefined" if s["rm"] is None else f"{s['rm']:.1f} over {s['over']} videos"
        out += [
            "## Our own small text-video score (not CLIP)", "",
            f"Generated {s['generated']:.3f}, real {s['real']:.3f}; its analogue of RM (a mean of ratios) {ratio}. "
            "CLIPSIM and RM with a real CLIP are implemented in laban.metrics.video and untested: no weights are here.",
            "",
        ]  # fmt: skip
    return out


def protocol(
    system: Godiva, source: VideoSource, out: Path, trial: Trial, *, progress: Progress | None = None,
    judges: Path | None = None, floor: Path | None = None,
) -> dict[str, Any]:  # fmt: skip
    """`laban evaluate godiva`: the judges' table, of 500 videos; of data without digits the likelihood.

    Args:
        system: what is scored.
        source: as `Godiva.open_data` gives it.
        out: an existing folder.
        trial: how much of it is run.
        progress: called with (done, total).
        judges: folder in which the judges are kept; by default in `out`.
        floor: a model that was trained without captions.
    Returns: JSON-able facts, with lines of Markdown in `tables`.
    Raises: InputError if the floor is no GODIVA; as `Godiva.sampler` for data of another size.
    """
    check_source(source, system.config.frames)
    if not isinstance(source, MovingDigits):
        facts = streamed(system, source, "test", trial.seed, trial.cases or COMPARED)
        return {**facts, "tables": lines(facts)}
    blind = None if floor is None else load_as(MakesVideo, floor, str(system.device), "--floor")
    facts = judged(
        system, source, judges_of(source, judges or out / "judges"), trial, floor=blind, progress=progress
    ).facts
    return {**facts, "tables": lines(facts)}


def goals(facts: Mapping[str, Any]) -> list[tuple[str, float, float, str, bool]]:
    """(name, value, limit, unit, at least) of what a shipped model must reach."""
    rows = facts["rows"]
    main = rows[SEEN]
    lost = round(100 * (rows[REAL]["joint"] - rows[ROUND]["joint"]), 6)  # five of 500 are one point, not a bit more
    return [
        ("digit, seen pairs", 100 * main["digit"], 90, "%", True),
        ("motion, seen pairs", 100 * main["motion"], 90, "%", True),
        ("joint, seen pairs", 100 * main["joint"], 85, "%", True),
        ("joint, real minus tokenizer", lost, 1, " points", False),
    ]
