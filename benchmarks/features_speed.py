"""Speed of the HumanML3D features against a plain loop over frames, with equal results.

    python benchmarks/features_speed.py [--frames 200] [--data data/prepared]

Goal: at least 5 times as fast. The loop below computes the same features one frame at a time with numpy over the
joints, and along each chain bone by bone, as the definition reads; both are timed on the same clip, best of
several runs.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
from report import data_option, goal, parser, run

from laban.motion import humanml, kinematics, rotation
from laban.motion.humanml import HUMANML
from laban.motion.skeletons import HUMANML22

UP = np.array([0.0, 1.0, 0.0])
AHEAD = np.array([0.0, 0.0, 1.0])
PARENTS = np.array(HUMANML22.parents)


def loop_features(joints: np.ndarray) -> np.ndarray:
    """(T, 22, 3) metres -> (T-1, 263), frame by frame."""
    joints = loop_canonical(np.asarray(joints, np.float64))
    frames = len(joints)
    headings = np.array([heading(pose, swapped=True) for pose in joints])
    smooth = np.zeros_like(headings)
    taps = np.exp(-0.5 * (np.arange(-80, 81) / 20.0) ** 2)
    taps /= taps.sum()
    for t in range(frames):
        smooth[t] = taps @ headings[np.clip(np.arange(t - 80, t + 81), 0, frames - 1)]
    roots = [world_to_heading(smooth[t], t) for t in range(frames)]
    rows = []
    for t in range(frames - 1):
        now, then = joints[t], joints[t + 1]
        step = rotation.multiply(roots[t + 1], rotation.conjugate(roots[t]))
        travel = rotation.rotate(roots[t + 1], then[0] - now[0])
        feet = list(HUMANML.feet)
        parts = [
            [np.arcsin(np.clip(step[2], -1, 1)), travel[0], travel[2], now[0, 1]],
            rotation.rotate(roots[t], now[1:] - now[0] * [1, 0, 1]).ravel(),
            rotation.to_six_d(swing(now, roots[t])[1:]).ravel(),
            rotation.rotate(roots[t], then - now).ravel(),
            ((then[feet] - now[feet]) ** 2).sum(-1) < HUMANML.contact,
        ]
        rows.append(np.concatenate(parts))
    return np.array(rows)


def loop_canonical(joints: np.ndarray) -> np.ndarray:
    """Fitted to the target bones, floor, origin, facing; frame by frame."""
    source = sum(np.linalg.norm(joints[0, j] - joints[0, p]) for p, j in ((2, 5), (5, 8)))
    scale = sum(abs(HUMANML.offsets[j]).max() for j in HUMANML.leg) / source
    fitted = np.zeros_like(joints)
    for t, pose in enumerate(joints):
        root = world_to_heading(heading(pose, swapped=True), t)
        local = swing(pose, root)
        fitted[t, 0] = pose[0] * scale
        for chain in HUMANML.chains:
            world = root
            for parent, joint in zip(chain[:-1], chain[1:], strict=True):
                world = rotation.multiply(world, local[joint])
                fitted[t, joint] = fitted[t, parent] + rotation.rotate(world, HUMANML.offsets[joint])
    floor, origin = fitted[..., 1].min(), fitted[0, 0] * [1, 0, 1]
    turn = rotation.between(heading(fitted[0], swapped=False), AHEAD)
    for t in range(len(fitted)):
        fitted[t] = rotation.rotate(turn, fitted[t] - floor * UP - origin)
    return fitted


def heading(pose: np.ndarray, swapped: bool) -> np.ndarray:
    """Facing of one pose (22, 3), with the hips exchanged or not; as long as `across` is level."""
    hips = pose[2] - pose[1]
    across = (-hips if swapped else hips) + pose[17] - pose[16]
    return np.cross(UP, across / np.linalg.norm(across))


def world_to_heading(forward: np.ndarray, t: int) -> np.ndarray:
    """The root's quaternion of frame t."""
    return np.array(rotation.IDENTITY) if t == 0 else rotation.between(forward, AHEAD)


def swing(pose: np.ndarray, root: np.ndarray) -> np.ndarray:
    """Local rotations (22, 4) of one pose, each at the child of its bone."""
    local = np.tile(root, (22, 1))
    turns = rotation.between(np.array(HUMANML.directions[1:], float), pose[1:] - pose[PARENTS[1:]])
    for chain in HUMANML.chains:
        world = root
        for joint in chain[1:]:
            local[joint] = rotation.multiply(rotation.conjugate(world), turns[joint - 1])
            world = rotation.multiply(world, local[joint])
    return local


def clip(frames: int) -> np.ndarray:
    """(T, 22, 3) a body that walks a curve and moves every joint."""
    t = np.arange(frames) / 20
    wave = np.sin(2 * np.pi * 0.8 * t[:, None, None] + np.random.default_rng(0).uniform(0, 6, (22, 3)))
    rotations = rotation.from_axis_angle(0.3 * wave)
    rotations[:, 0] = rotation.multiply(rotation.yaw(1 + 0.6 * t), rotations[:, 0])
    root = np.stack([np.sin(1 + 0.6 * t), 0.95 + 0.03 * np.sin(9 * t), np.cos(1 + 0.6 * t)], -1)
    return kinematics.forward(HUMANML22, rotations, root)


def best(function: Any, argument: np.ndarray, runs: int) -> float:
    """Seconds of CPU of the fastest of several runs."""
    times = []
    for _ in range(runs):
        start = time.process_time()
        function(argument)
        times.append(time.process_time() - start)
    return min(times)


def main() -> tuple[dict[str, Any], bool, argparse.Namespace]:
    made = parser("speed of feature extraction")
    data_option(made)
    made.add_argument("--frames", type=int, default=200)
    options = made.parse_args()
    joints, source = clip(options.frames), "made clip"
    if options.data.is_dir():
        from laban.data.corpus import Corpus

        corpus = Corpus.open(options.data)
        record = max(corpus.select("test"), key=lambda r: min(r.length, options.frames))
        joints, source = np.array(corpus.joints(record)[: options.frames]), record.id
    fast, slow = humanml.encode(joints), loop_features(joints)
    worst = float(abs(fast - slow).max())
    if worst > 1e-5:
        raise SystemExit(f"the two differ by {worst:.2e}; the benchmark means nothing")
    quick, plain = best(humanml.encode, joints, 20), best(loop_features, joints, 2)
    print(f"{source}, {len(joints)} frames; largest difference of the two {worst:.1e}")
    print(f"loop over frames {1e3 * plain:8.1f} ms   {len(joints) / plain:10.0f} frames/s")
    print(f"laban            {1e3 * quick:8.1f} ms   {len(joints) / quick:10.0f} frames/s")
    line, ok = goal("times as fast", plain / quick, 5, at_least=True)
    print(line)
    figures = {"loop_ms": 1e3 * plain, "laban_ms": 1e3 * quick, "ratio": plain / quick, "difference": worst}
    return figures, ok, options


if __name__ == "__main__":
    run(main)
