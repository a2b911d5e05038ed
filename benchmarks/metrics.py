"""Speed of the kinetic and geometric dance features against a plain loop over frames and joints, with equal results.

    python benchmarks/metrics.py [--frames 1200]

Goal: at least 50 times as fast, both features together. The loop computes one frame, one joint, one window entry and
one condition at a time, as the definitions read. Both are timed on the same clip, best of several runs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from report import goal, parser, run

from laban.metrics import geometric as rules
from laban.metrics.geometric import geometric
from laban.metrics.kinetic import kinetic


def loop_kinetic(joints: np.ndarray, dt: float = 1 / 60) -> np.ndarray:
    """(T, J, 3) -> (3 J,), in `compat`."""
    out = []
    for j in range(joints.shape[1]):
        p, total = joints[:, j], np.zeros(3)
        for t in range(1, len(p)):
            steps, bends = [], []
            for s in range(t - 2, t + 3):
                if s >= 1 and s < len(p):
                    steps.append((p[s] - p[s - 1]) / dt)
                if s >= 1 and s + 1 < len(p):
                    bends.append(((p[s + 1] - p[s]) / dt - (p[s] - p[s - 1] / dt)) / dt)
            v = sum(steps) / len(steps)
            total += [v[0] ** 2 + v[2] ** 2, v[1] ** 2, np.linalg.norm(sum(bends) / len(bends))]
        out += list(total / (len(p) - 1))
    return np.array(out)


def loop_geometric(joints: np.ndarray) -> np.ndarray:
    """(T, 24, 3) -> (32,), in `compat`."""
    rate, norm, dot = rules.COMPAT_RATE, np.linalg.norm, np.dot
    held = np.zeros(32)

    def within(a: np.ndarray, b: np.ndarray, low: float, high: float) -> bool:
        return low < np.degrees(np.arccos(np.clip(dot(a, b) / norm(a) / norm(b), -1, 1))) < high

    for t in range(1, len(joints)):
        p, d = joints[t], joints[t] - joints[t - 1]
        lowest = min(p[:, 1])
        for i, a, b, c, q, threshold in rules.NMOVE:
            n = np.cross(p[c] - p[a], p[b] - p[a])
            held[i] += dot(d[q] - d[a], n) / norm(n) * rate > threshold
        for i, a, b, c, q, threshold in rules.NPLANE:
            held[i] += dot(p[b] - p[a], p[q] - p[c]) / norm(p[b] - p[a]) > threshold
        for i, a, b, c, threshold in (*rules.MOVE, *rules.MOVE_COMPAT):
            held[i] += dot(d[c] - d[a], p[b] - p[a]) / norm(p[b] - p[a]) * rate > threshold
        for i, a, b, c, e, low, high in rules.ANGLE:
            held[i] += within(p[b] - p[a], p[e] - p[c], low, high)
        for i, a, b, c, q, threshold in rules.PLANE:
            n = np.cross(p[c] - p[a], p[b] - p[a])
            held[i] += dot(n, p[q] - p[a]) / norm(n) > threshold
        held[28] += within(p[rules.ROOT] - p[rules.NECK], np.array([0.0, 1.0, 0.0]), 70, 110)
        for i, a, threshold in rules.FAST:
            held[i] += norm(d[a]) * rate > threshold
        for i, a, threshold in rules.HIGH:
            held[i] += p[a, 1] - lowest > threshold
        for i, a, threshold in rules.LOW:
            held[i] += lowest - p[a, 1] > -threshold
    return held / (len(joints) - 1)


def best(function: Callable[[np.ndarray], np.ndarray], joints: np.ndarray, runs: int) -> tuple[float, np.ndarray]:
    """Seconds of CPU, which other processes do not lengthen, and the result."""
    times = []
    for _ in range(runs):
        begin = time.process_time()
        result = function(joints)
        times.append(time.process_time() - begin)
    return min(times), result


def main() -> tuple[dict[str, Any], bool, argparse.Namespace]:
    made = parser("speed of the dance features")
    made.add_argument("--frames", type=int, default=1200, help="20 s at 60 fps, as generated dances are scored")
    options = made.parse_args()
    rng = np.random.default_rng(0)
    drift = np.cumsum(rng.normal(scale=0.01, size=(options.frames, 24, 3)), axis=0)
    joints = rng.normal(scale=0.4, size=(1, 24, 3)) + drift
    figures: dict[str, Any] = {}
    for name, fast, slow in (("kinetic", kinetic, loop_kinetic), ("geometric", geometric, loop_geometric)):
        seconds, ours = best(fast, joints, 20)
        looped, plain = best(slow, joints, 1)
        figures[name] = {"seconds": seconds, "loop_seconds": looped}
        print(f"{name}: {1e3 * seconds:.2f} ms, loop {1e3 * looped:.0f} ms, {looped / seconds:.0f}x, "
              f"largest difference {abs(ours - plain).max():.1e}")  # fmt: skip
        np.testing.assert_allclose(ours, plain, rtol=1e-9)
    ratio = sum(f["loop_seconds"] for f in figures.values()) / sum(f["seconds"] for f in figures.values())
    line, ok = goal("both", ratio, 50, "x", at_least=True)
    print(line)
    return {**figures, "ratio": ratio}, ok, options


if __name__ == "__main__":
    run(main)
