"""The field's arrays as motions: joints, HumanML3D and KIT-ML features, poses of SMPL and its kin.

Read from `.npz`, `.npy` and `.pkl`; which of them an array is, is told by names and shapes:

| what | arrays |
|---|---|
| joints | `joints`, or a lone array: (T, 22, 3) HumanML3D, (T, 24, 3) SMPL, (T, 21, 3) KIT-ML; a leading 1 is dropped |
| features | a lone array (T, 263) HumanML3D, (T, 251) KIT-ML, not normalised |
| AMASS, SMPL-H, SMPL-X | `poses` (T, 66 and more), or `root_orient` (T, 3) and `pose_body` (T, 63); `trans` (T, 3) |
| AIST++, EDGE | `smpl_poses` (T, 72), `smpl_trans` (T, 3), `smpl_scaling` |

Poses are axis-angles from SMPL's T-pose. Our skeleton stands in for the body: rotations are exact, bone lengths are
those of HumanML3D, betas and hands are left out, and so is the pelvis' place in the body model.

Sources: Guo et al. 2022 (HumanML3D), Mahmood et al. 2019 (AMASS), Li et al. 2021 (AIST++), Tseng et al. 2023 (EDGE).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from laban.errors import FormatError, LabanError
from laban.io import pickles
from laban.motion import frames, humanml, kinematics, rotation
from laban.motion.bearings import settled
from laban.motion.motion import Motion
from laban.motion.skeleton import Skeleton
from laban.motion.skeletons import HUMANML22, KIT21, SMPL24

MOST = 1 << 28  # bytes of an array
MOST_FRAMES = 1 << 20
RATES = ("fps", "mocap_framerate", "mocap_frame_rate", "framerate", "frame_rate")
USUAL, KIT_RATE, AIST_RATE, EDGE_RATE = 20.0, 12.5, 60.0, 30.0
_SKELETONS = {21: KIT21, 22: HUMANML22, 24: SMPL24}
_WRIST = np.cos(np.radians(80.0))  # that hands bend from the forearms, on the average, at most
_LOOKED_AT = 200  # frames
_SAME = 2e-3  # metres: bones that are no further from a skeleton's own are its own


def read(path: str | Path, *, up: str = "", units: str = "") -> Motion:
    """The motion in a `.npy` or `.pkl`; nothing in it is executed.

    Args:
        path: the file.
        up: which axis is up; found from the body if empty.
        units: of the places; found from the body if empty.
    Returns: metres, Y up; `notes` say what was assumed.
    Raises: InputError if the file is missing; FormatError for arrays that are none of those above.
    """
    path = Path(path)
    if path.suffix.lower() == ".npy":
        return motion_of({"": _array(path)}, path, up, units)
    return motion_of(pickles.read(path), path, up, units)


def _array(path: Path) -> np.ndarray:
    try:
        if path.stat().st_size > MOST:
            raise FormatError(f"{path}: has more than {MOST >> 20} MiB; not one motion.")
        with path.open("rb") as file:
            return np.asarray(np.load(file, allow_pickle=False))
    except FormatError:
        raise
    except (OSError, ValueError, EOFError, SyntaxError, TypeError, MemoryError, OverflowError) as error:
        said = " ".join(str(error).split())[:80]
        raise FormatError(
            f"{path}: no .npy of plain numbers ({said}). Save it with numpy.save, without pickle."
        ) from None


def motion_of(arrays: Mapping[str, np.ndarray], path: Path, up: str = "", units: str = "") -> Motion:
    """The motion that some arrays are; see the module. Raises: FormatError that lists what is there."""
    try:
        found = _motion(arrays, path)
    except LabanError as error:
        raise error if isinstance(error, FormatError) else FormatError(f"{path}: damaged ({error})") from None
    return _as_built(settled(found, up, units))


def _as_built(motion: Motion) -> Motion:
    """The motion of joints on a skeleton whose trunk is shaped as theirs is when they stand upright."""
    skeleton = motion.skeleton
    if skeleton.offsets is HUMANML22.offsets or not set(HUMANML22.names) <= set(skeleton.names):
        return motion
    if (np.abs(skeleton.lengths[: len(HUMANML22)] - HUMANML22.lengths) < _SAME).all():
        return motion
    joints = motion.joints()
    body = frames.built(joints[:, [skeleton.index(name) for name in HUMANML22.names]])
    ways = rotation.unit(body.offsets[1:])
    offsets = skeleton.offsets.copy()
    for parent, name in enumerate(HUMANML22.names):
        children = HUMANML22.children(parent)
        places = [skeleton.index(HUMANML22.names[child]) for child in children]
        wanted = ways[[child - 1 for child in children]] * skeleton.lengths[places][:, None]
        if len(children) > 1:  # a fork keeps its shape
            u, _, vt = np.linalg.svd(wanted.T @ offsets[places])
            u[:, 2] *= np.sign(np.linalg.det(u @ vt))
            wanted = offsets[places] @ (u @ vt).T
        if children and name in frames.TRUNK:
            offsets[places] = wanted
    shaped = replace(skeleton, offsets=offsets)
    turns, root = kinematics.fit(shaped, joints)
    return replace(motion, skeleton=shaped, rotations=turns, root=root)


def _motion(arrays: Mapping[str, np.ndarray], path: Path) -> Motion:
    rate = next((arrays[name] for name in RATES if name in arrays), None)
    fps = None if rate is None else _number(rate, path)
    numbers = {name: np.asarray(a) for name, a in arrays.items() if np.asarray(a).dtype.kind in "iuf"}
    lone = [a for name, a in numbers.items() if name not in RATES and np.squeeze(a).ndim > 1]
    if "smpl_poses" in numbers and "smpl_trans" in numbers:
        usual = EDGE_RATE if "full_pose" in numbers else AIST_RATE
        scaling = _number(numbers["smpl_scaling"], path) if "smpl_scaling" in numbers else 1.0
        return _posed(numbers["smpl_poses"], numbers["smpl_trans"] / scaling, fps, usual, path)
    if "poses" in numbers and "trans" in numbers:
        return _posed(numbers["poses"], numbers["trans"], fps, USUAL, path)
    if {"root_orient", "pose_body", "trans"} <= numbers.keys():
        whole = np.concatenate([numbers["root_orient"], numbers["pose_body"]], axis=-1)
        return _posed(whole, numbers["trans"], fps, USUAL, path)
    held = numbers.get("joints", lone[0] if len(lone) == 1 else None)
    if held is not None:
        held = held[0] if held.ndim > 2 and len(held) == 1 else held
        if held.ndim == 3 and held.shape[2] == 3 and held.shape[1] in _SKELETONS:
            return _jointed(held, fps, path)
        if held.ndim == 2 and held.shape[1] in (263, 251):
            joints = humanml.decode(_finite(held, path))
            return _jointed(joints * (1e-3 if held.shape[1] == 251 else 1.0), fps, path)
    said = ", ".join(f"{name or 'array'} {np.shape(a)}" for name, a in list(arrays.items())[:8]) or "nothing"
    raise FormatError(
        f"{path}: holds {said}; expected joints (T, 22 or 24, 3), features (T, 263), or poses and trans of SMPL."
    )


def _number(value: np.ndarray, path: Path) -> float:
    value = np.asarray(value)
    if value.size != 1 or value.dtype.kind not in "iuf" or not np.isfinite(value).all() or not value.ravel()[0] > 0:
        raise FormatError(f"{path}: a frame rate or scale is {str(value)[:40]}; expected one number above 0.")
    return float(value.ravel()[0])


def _finite(values: np.ndarray, path: Path) -> np.ndarray:
    values = np.asarray(values, np.float64)
    if not 0 < len(values) <= MOST_FRAMES:
        raise FormatError(f"{path}: {len(values)} frames; expected 1 to {MOST_FRAMES}.")
    if not np.isfinite(values).all():
        raise FormatError(f"{path}: holds NaN or infinity. It is damaged; get it again.")
    return values


def _assumed(fps: float | None, usual: float) -> tuple[float, tuple[str, ...]]:
    """The rate, and what to say where the file does not give it."""
    if fps is not None:
        return fps, ()
    return usual, (f"it does not say its frame rate; {usual:g} fps were assumed. --source-fps says otherwise",)


def _jointed(joints: np.ndarray, fps: float | None, path: Path) -> Motion:
    """A motion of joints, with bones as long as theirs; units and axes as they are."""
    joints = _finite(joints, path)
    if joints.shape[1] == len(SMPL24) and _odd_hands(joints):
        joints = joints[:, : len(HUMANML22)]  # 22 of them are the same in both
    usual = _SKELETONS[joints.shape[1]]
    bones = joints[:, 1:] - joints[:, list(usual.parents[1:])]
    lengths = np.concatenate([[0.0], np.median(np.linalg.norm(bones, axis=-1), axis=0)])
    if not (lengths[1:] > 1e-9).all():
        raise FormatError(f"{path}: joints lie on each other; expected {len(usual)} joints of a body.")
    offsets = _shaped(usual, joints, rotation.unit(usual.offsets) * lengths[:, None])
    own = Skeleton(usual.name, usual.names, usual.parents, offsets)
    skeleton = usual if np.abs(offsets - usual.offsets)[1:].max() < _SAME else own
    turns, root = kinematics.fit(skeleton, joints)
    rate, notes = _assumed(fps, KIT_RATE if usual is KIT21 else USUAL)
    return Motion(skeleton, turns, root, rate, notes=notes)


def _odd_hands(joints: np.ndarray) -> bool:
    """Whether the two last of SMPL's joints are no hands: farther from the forearms' line than wrists bend."""
    for side in ("left", "right"):
        elbow, wrist, hand = (joints[:, SMPL24.index(f"{side}_{name}")] for name in ("elbow", "wrist", "hand"))
        along = (rotation.unit(wrist - elbow) * rotation.unit(hand - wrist)).sum(-1)
        if np.median(along) < _WRIST:
            return True
    return False


def _shaped(usual: Skeleton, joints: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """(J, 3) offsets whose forks (hips and spine, neck and collars) have the shape that they have in the frames.

    A fork is rigid: its shape is the mean over frames that are turned onto each other, nearest to how it rests.
    Source: Kabsch 1976, "A solution for the best rotation to relate two sets of vectors".
    """
    some = joints[np.unique(np.linspace(0, len(joints) - 1, _LOOKED_AT).astype(int))]
    offsets = offsets.copy()
    for joint in range(len(usual)):
        fork = list(usual.children(joint))
        if len(fork) < 2:
            continue
        seen = some[:, fork] - some[:, [joint]]
        shape = offsets[fork]
        for _ in range(3):
            u, _, vt = np.linalg.svd(np.einsum("tka,kb->tab", seen, shape))
            u[:, :, 2] *= np.sign(np.linalg.det(u @ vt))[:, None]
            shape = np.einsum("tka,tab->kb", seen, u @ vt) / len(seen)
        offsets[fork] = shape
    return offsets


def _posed(poses: np.ndarray, trans: np.ndarray, fps: float | None, usual: float, path: Path) -> Motion:
    """A motion of SMPL's axis-angles; the first 22 joints are the same in all its kin."""
    poses = np.asarray(poses).reshape(len(poses), -1) if np.ndim(poses) in (2, 3) else np.zeros((0, 0))
    if poses.shape[1] < 66 or poses.shape[1] % 3 or np.shape(trans) != (len(poses), 3):
        raise FormatError(
            f"{path}: poses are {poses.shape} and places {np.shape(trans)}; expected (T, 66 or more), (T, 3)."
        )
    poses, trans = _finite(poses, path), _finite(trans, path)
    skeleton = SMPL24 if poses.shape[1] == 72 else HUMANML22
    turns = rotation.from_axis_angle(poses[:, : 3 * len(skeleton)].reshape(len(poses), len(skeleton), 3))
    rate, notes = _assumed(fps, usual)
    return Motion(skeleton, rotation.continuous(turns), trans, rate, notes=notes)
