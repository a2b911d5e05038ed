"""Field cases: one line each, right or wrong, measured by a forward kinematics that is not Laban's.

    python tools/checks/cases.py FOLDER [NAME ...]

FOLDER holds one folder per case with `in.*` (a motion, put onto `_truth/target.bvh`) or `character.*` (which wears
`_truth/plain.bvh`), and `_truth/truth.npz`, what the performer did. A motion is right within 2 cm and 15 degrees at
every joint and frame (forearms and hands: 30 degrees more, since twist is shared), a character if each of its bones is
within 2 cm of the same bone of `_truth/boxman.glb` wearing the same motion. What Laban said stands behind it.
"""

from __future__ import annotations

import json
import struct
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np

from laban.actions.character import RetargetOptions, retarget
from laban.actions.context import Context
from laban.errors import LabanError

CENTIMETRES, DEGREES = 2.0, 15.0
SHARED = ("left_elbow", "right_elbow", "left_wrist", "right_wrist")
FREE = ("left_foot", "right_foot")  # toes bend on the floor
NO_HEAD = ("hml-joints-npy", "npz-fps-array", "npz-smpl24", "npz-zup")  # places alone do not say how a head is turned
NO_BONES = ("amass",)  # its bones are said by a body model that it does not hold: turns alone are judged
TARGETS = ("target-folded",)
AUTORIG = {
    "hips": "root.x", "chest": "spine_02.x", "head": "head.x", "hand": "hand.", "lower_arm": "forearm_stretch.",
    "upper_arm": "arm_stretch.", "upper_leg": "thigh_stretch.", "lower_leg": "leg_stretch.", "foot": "foot.",
}  # fmt: skip


def matrices(q: np.ndarray) -> np.ndarray:
    """(..., 3, 3) of quaternions (..., 4) wxyz."""
    w, x, y, z = np.moveaxis(q / np.linalg.norm(q, axis=-1, keepdims=True), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(r, -1) for r in rows], -2)


def motion_errors(path: Path, truth: Path, case: str) -> tuple[float, float, str, str]:
    """(cm, degrees beyond what is shared, worst joint, the rest) of an .npz that Laban wrote."""
    known = np.load(truth / "truth.npz")
    want, turns, names = known["joints"], known["turns"], [str(n) for n in known["names"]]
    got = np.load(path, allow_pickle=False)
    own, parents = [str(n) for n in got["names"]], list(got["parents"])
    local = matrices(got["rotations"].astype(float))
    world = np.zeros_like(local)
    for j, p in enumerate(parents):
        world[:, j] = local[:, j] if p < 0 else world[:, p] @ local[:, j]
    frames = min(len(world), len(want))
    places = got["joints"][:frames, [own.index(n) for n in names]]
    a, b = places - places[:, :1], want[:frames] - want[:frames, :1]
    off = 100 * np.linalg.norm(a * np.linalg.norm(b) / np.linalg.norm(a) - b, axis=-1).max()
    worst, who = 0.0, ""
    for n in names:
        if n in FREE or (n == "head" and case in NO_HEAD):
            continue
        m = np.swapaxes(turns[:frames, names.index(n)], -1, -2) @ world[:frames, own.index(n)]
        angle = np.degrees(np.arccos(np.clip((np.trace(m, axis1=-2, axis2=-1) - 1) / 2, -1, 1))).max()
        angle = max(0.0, angle - (0.0 if n not in SHARED else 30.0))
        if angle > worst:
            worst, who = float(angle), n
    travel = places[-1, 0] - places[0, 0]
    straight = np.linalg.norm(travel / max(np.linalg.norm(travel), 1e-9) - [0, 0, 1])
    wrong = "" if straight < 0.1 else f"travels {np.round(travel, 2).tolist()}"
    rate = float(got["fps"])
    if abs(len(world) - 40) > 1 or abs(rate - 20) > 0.01:
        wrong += f" {len(world)} frames at {rate:g}"
    return 0.0 if case in NO_BONES else float(off), worst, who, wrong


def tracks(path: Path) -> dict[str, np.ndarray]:
    """Name -> (T, 3): where the nodes of a GLB are over its first animation."""
    data = path.read_bytes()
    length = struct.unpack_from("<I", data, 12)[0]
    content = json.loads(data[20 : 20 + length])
    binary = data[28 + length :]
    nodes = content["nodes"]

    def array(number: int) -> np.ndarray:
        accessor = content["accessors"][number]
        view = content["bufferViews"][accessor["bufferView"]]
        width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}[accessor["type"]]
        start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
        return np.frombuffer(binary, "<f4", accessor["count"] * width, start).reshape(-1, width).astype(float)

    animation = content["animations"][0]
    moved: dict[tuple[int, str], np.ndarray] = {}
    frames = 1
    for channel in animation["channels"]:
        values = array(animation["samplers"][channel["sampler"]]["output"])
        moved[channel["target"]["node"], channel["target"]["path"]] = values
        frames = max(frames, len(values))
    out: dict[str, np.ndarray] = {}

    def visit(node: int, above: np.ndarray) -> None:
        entry = nodes[node]
        local = np.tile(np.eye(4), (frames, 1, 1))
        q = moved.get((node, "rotation"), np.array([entry.get("rotation", [0, 0, 0, 1])], float))
        local[:, :3, :3] = matrices(q[:, [3, 0, 1, 2]]) * np.array(entry.get("scale", [1, 1, 1]))
        local[:, :3, 3] = moved.get((node, "translation"), np.array([entry.get("translation", [0, 0, 0])], float))
        world = above @ local
        out[entry.get("name", str(node))] = world[:, :3, 3]
        for child in entry.get("children", []):
            visit(child, world)

    for root in content["scenes"][0]["nodes"]:
        visit(root, np.eye(4)[None])
    return out


def renamed(name: str, case: str) -> str:
    """What a bone of the man of boxes is called in a case."""
    if case == "two-people":
        return "A_" + name
    if case != "names-autorig":
        return name
    side, _, base = name.partition("_") if "_" in name else ("", "", name)
    return AUTORIG.get(base or name, "") + (side[:1] if base and side in ("left", "right") else "")


def character_errors(path: Path, expected: dict[str, np.ndarray], case: str) -> tuple[float, float, str, str]:
    """(cm, 0, worst bone, the rest) of a character that moves, against the man of boxes."""
    got = tracks(path)
    worst, who = 0.0, ""
    for name, want in expected.items():
        other = renamed(name, case)
        if other in got and "Arm" not in name and "mesh" not in name:
            places = got[other]
            off = 100 * float(np.linalg.norm(places - want, axis=-1).max())
            worst, who = max((worst, who), (off, name))
    return worst, 0.0, who, ""


def run(case: Path, truth: Path, folder: Path, expected: dict[str, np.ndarray]) -> tuple[str, str]:
    """(right, wrong or refused; why)."""
    files = [p for p in sorted(case.iterdir()) if p.stem in ("in", "character", "animated")]
    if not files:
        return "skipped", "no motion and no character"
    file, told = files[0], Context()
    said: list[str] = []
    told.warn = said.append
    is_source = file.stem != "character"
    out = folder / (f"{case.name}.npz" if is_source or case.name in TARGETS else f"{case.name}.glb")
    try:
        if is_source:
            options = RetargetOptions(file, truth / "target.bvh", (out,), fps=20.0)
        else:
            options = RetargetOptions(truth / "plain.bvh", file, (out,), fps=20.0)
        made = retarget(options, told)
    except LabanError as error:
        return "refused", str(error)[:150]
    heard = " | ".join(said)
    judged = made.certificate
    if case.name in TARGETS:
        return ("right" if judged.passed else "wrong"), f"certificate {judged.failed} {heard}"
    if is_source and case.name != "foreign-glb" and case.name != "animation-only":
        cm, angle, who, wrong = motion_errors(out, truth, case.name)
    elif is_source:
        limbs = judged.values["limb_degrees"] or 0.0
        cm, angle, who, wrong = limbs / 3, 0.0, "", "" if made.clip.frames == 40 else f"{made.clip.frames} frames"
    else:
        cm, angle, who, wrong = character_errors(out, expected, case.name)
    right = cm <= CENTIMETRES and angle <= DEGREES and not wrong
    text = f"{cm:.1f} cm {angle:.0f} deg {who} {wrong} {'pass' if judged.passed else 'FAIL ' + ','.join(judged.failed)}"
    if not right and not judged.passed:
        return "failed", f"{text} {heard}"
    return ("right" if right else "WRONG"), f"{text} {heard}"


def main(arguments: list[str]) -> int:
    """Runs the cases; 1 if one is wrong."""
    root = Path(arguments[0])
    truth = root / "_truth"
    counts: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(name)
        retarget(RetargetOptions(truth / "plain.bvh", truth / "boxman.glb", (folder / "b.glb",), fps=20.0), Context())
        expected = tracks(folder / "b.glb")
        for case in sorted(p for p in root.iterdir() if p.is_dir() and p.name != "_truth"):
            if arguments[1:] and case.name not in arguments[1:]:
                continue
            try:
                verdict, why = run(case, truth, folder, expected)
            except Exception as error:  # noqa: BLE001 a crash is a verdict, too
                verdict, why = "CRASH", f"{type(error).__name__}: {error}"
            counts[verdict] = counts.get(verdict, 0) + 1
            print(f"{case.name:20s} {verdict:8s} {why}".rstrip(), flush=True)
    print(", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())))
    return int(any(v in counts for v in ("WRONG", "CRASH", "wrong")))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
