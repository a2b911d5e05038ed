"""Beats of synthesised songs whose beats are known: tempo without and with a hint, beats found, per groove."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from report import parser, run, share, table

TOLERANCE = 3  # frames at 60 fps: one sigma of the beat alignment score


def matched(found: np.ndarray, true: np.ndarray) -> float:
    """F-measure of beats within TOLERANCE of each other."""
    if not len(found):
        return 0.0
    gap = np.abs(found[:, None] - true[None])
    precision, recall = (gap.min(axis=1) <= TOLERANCE).mean(), (gap.min(axis=0) <= TOLERANCE).mean()
    return float(2 * precision * recall / max(precision + recall, 1e-9))


def main() -> tuple[dict[str, Any], bool, argparse.Namespace]:
    made = parser(__doc__ or "")
    made.add_argument("--tempi", type=int, default=5, help="per groove, over its usual range")
    made.add_argument("--seconds", type=float, default=20.0)
    options = made.parse_args()

    from laban.condition import beats, spectrum
    from laban.condition.music import LOW_BANDS
    from laban.data.synthesis import tracks

    facts: dict[str, Any] = {}
    rows = []
    total = {"right": 0, "octave": 0, "hinted": 0, "songs": 0}
    for name, groove in tracks.GROOVES.items():
        counts = dict.fromkeys(total, 0)
        f_free, f_hint = [], []
        for seed, bpm in enumerate(np.linspace(*groove.tempi, options.tempi)):
            track = tracks.synthesise(name, float(bpm), options.seconds, seed)
            mel = spectrum.mel_decibels(track.samples)
            envelope = spectrum.onset_strength(mel)
            free, _ = beats.estimate(envelope, spectrum.onset_strength(mel[:, :LOW_BANDS]))
            hinted = beats.tempo(envelope, float(bpm) + 3, beats.HINT_WIDTH)
            away = np.log2(free / bpm)
            counts["songs"] += 1
            counts["right"] += bool(abs(away) < 0.06)
            counts["octave"] += bool(abs(abs(away) - 1) < 0.06)
            counts["hinted"] += bool(abs(np.log2(hinted / bpm)) < 0.06)
            true = track.beats * 60
            f_free.append(matched(beats.track(envelope, free), true))
            f_hint.append(matched(beats.track(envelope, hinted), true))
        for key in total:
            total[key] += counts[key]
        facts[name] = {**counts, "f": float(np.mean(f_free)), "f_hint": float(np.mean(f_hint))}
        rows.append([name, *(f"{counts[k]}/{counts['songs']}" for k in ("right", "octave", "hinted")),
                     f"{np.mean(f_free):.2f}", f"{np.mean(f_hint):.2f}"])  # fmt: skip
    head = ["groove", "tempo right", "half or double", "right with hint", "F of beats", "F with hint"]
    print(table(head, rows))
    print(f"without a hint {share(total['right'], total['songs'])}, with one {share(total['hinted'], total['songs'])}")
    return facts, True, options


if __name__ == "__main__":
    run(main)
