"""Motion as MotionCLIP sees it: per frame J rotations of six numbers and a row with the root's place.

A rotation is the first two rows of its matrix, joint to parent (the released order; `rotation.to_six_d` takes
columns). The last row is x, y, z of the root in metres and three zeros. A window stands at x = z = 0 and faces +Z in
its first frame; y is the height above the floor.
Deviation from the release: its third number of "translation" is SMPL-H's joint 8 of an un-translated body, a fault.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from laban.data.clips import canonical
from laban.motion import kinematics, rotation
from laban.motion.motion import Motion
from laban.motion.retarget import retarget
from laban.motion.skeleton import Skeleton
from laban.motion.skeletons import HUMANML22, SMPL24

SKELETON = {22: HUMANML22, 24: SMPL24}
AT_ONCE = 8192  # frames whose rotations are found together


def from_joints(joints: np.ndarray, rows: int) -> np.ndarray:
    """Rotations and places of canonical joints.

    Args:
        joints: (T, 22, 3) metres on HUMANML22's bones, floor at 0.
        rows: 22, or 24: SMPL's hands then do not turn.
    Returns: (T, rows + 1, 6) float32, not turned to the first frame.
    """
    parts = []
    for at in range(0, len(joints), AT_ONCE):
        turns, root = kinematics.fit(HUMANML22, joints[at : at + AT_ONCE])
        parts.append(pack(turns, root, rows))
    return np.concatenate(parts)


def pack(turns: np.ndarray, root: np.ndarray, rows: int) -> np.ndarray:
    """(T, J, 4) unit wxyz and (T, 3) metres -> (T, rows + 1, 6) float32; joints beyond J do not turn."""
    out = np.zeros((len(root), rows + 1, 6), np.float32)
    out[:, :rows, 0] = out[:, :rows, 4] = 1.0
    matrix = rotation.to_matrix(turns[:, :rows])
    out[:, : matrix.shape[1]] = matrix[..., :2, :].reshape(*matrix.shape[:2], 6)
    out[:, -1, :3] = root
    return out


def rerooted(frames: np.ndarray) -> np.ndarray:
    """A window (T, J + 1, 6) moved to x = z = 0 and turned to +Z, both by its first frame. A new array."""
    out = np.array(frames, np.float32)
    first, second = out[:, 0, :3].copy(), out[:, 0, 3:].copy()
    third = np.cross(first, second)
    forward_x, forward_z = first[0, 2], third[0, 2]
    size = np.hypot(forward_x, forward_z)
    c, s = (forward_z / size, forward_x / size) if size > 1e-4 else (1.0, 0.0)  # a body that lies flat stays
    out[:, 0, :3] = c * first - s * third
    x, z = out[:, -1, 0] - out[0, -1, 0], out[:, -1, 2] - out[0, -1, 2]
    out[:, -1, 0], out[:, -1, 2] = c * x - s * z, s * x + c * z
    return out


def of_motion(motion: Motion, fps: float, rows: int) -> np.ndarray:
    """Any humanoid motion as (T, rows + 1, 6) at `fps`, floor at 0, rerooted.

    Raises: InputError if `retarget` does not know its joints.
    """
    joints = canonical(retarget(motion).resample(fps).joints())
    return rerooted(from_joints(joints, rows))


def to_motion(frames: np.ndarray, fps: float, **fields: object) -> Motion:
    """(T, J + 1, 6), rotations not necessarily orthonormal -> Motion on HUMANML22 or SMPL24."""
    rows = frames.shape[-2] - 1
    six = np.asarray(frames[:, :rows], np.float64)
    matrix = orthonormal(torch.from_numpy(six)).numpy()
    turns = rotation.continuous(rotation.from_matrix(matrix))
    return Motion(SKELETON[rows], turns, np.asarray(frames[:, -1, :3], np.float64), fps, **fields)  # type: ignore[arg-type]


def orthonormal(six: Tensor) -> Tensor:
    """(..., 6) two rows -> (..., 3, 3) rotation matrices by Gram-Schmidt. Source: Zhou et al. 2019, by rows."""
    x = torch.nn.functional.normalize(six[..., :3], dim=-1, eps=1e-6)
    y = six[..., 3:] - (x * six[..., 3:]).sum(-1, keepdim=True) * x
    y = torch.nn.functional.normalize(y, dim=-1, eps=1e-6)
    return torch.stack([x, y, torch.linalg.cross(x, y)], -2)


def importance(rows: int, std: Tensor) -> Tensor:
    """(C,) about how many metres a joint moves for one standard deviation of each channel.

    A rotation moves what hangs on it; a step along the ground stays for the rest of the clip, taken as 10 frames.
    """
    skeleton = SKELETON[rows]
    places = kinematics.forward(skeleton, np.tile([1.0, 0, 0, 0], (1, rows, 1)), np.zeros((1, 3)))[0]
    below = np.eye(rows, dtype=bool)  # [j, d]: d hangs on j
    for joint in range(rows - 1, 0, -1):
        below[skeleton.parents[joint]] |= below[joint]
    reach = np.linalg.norm(places[None] - places[:, None], axis=-1) * below
    arms = torch.from_numpy(np.sqrt((reach**2).mean(1)).clip(0.02)).float()
    return torch.cat([arms.repeat_interleave(6), torch.tensor([10.0, 1, 10, 0.02, 0.02, 0.02])]) * std


def travel_apart(flat: Tensor) -> Tensor:
    """(B, T, C) with the root's x and z, columns C - 6 and C - 4, as differences to the frame before (the first: 0)."""
    x, y, z = flat[..., -6:-5], flat[..., -5:-4], flat[..., -4:-3]
    steps = [torch.diff(v, dim=1, prepend=v[:, :1]) for v in (x, z)]
    return torch.cat([flat[..., :-6], steps[0], y, steps[1], flat[..., -3:]], -1)


def travel_together(flat: Tensor) -> Tensor:
    """The inverse of `travel_apart` for windows that start at x = z = 0."""
    x, z = (_summed(flat[..., c : c + 1]) for c in (flat.shape[-1] - 6, flat.shape[-1] - 4))
    return torch.cat([flat[..., :-6], x, flat[..., -5:-4], z, flat[..., -3:]], -1)


def _summed(steps: Tensor) -> Tensor:
    """(B, T, 1) differences -> places; the first is 0 whatever its difference says."""
    return torch.cat([torch.zeros_like(steps[:, :1]), steps[:, 1:].cumsum(1)], 1)


class ForwardKinematics:
    """Joints from rotations, level by level of the tree, differentiable.

    Args:
        skeleton: its offsets in metres.
    """

    def __init__(self, skeleton: Skeleton) -> None:
        self.offsets = torch.tensor(np.array(skeleton.offsets), dtype=torch.float32)
        depth = [0] * len(skeleton)
        for joint in range(1, len(skeleton)):
            depth[joint] = depth[skeleton.parents[joint]] + 1
        self.levels: list[tuple[list[int], list[int]]] = []
        order = [0]
        for level in range(1, max(depth) + 1):
            members = [j for j in range(len(skeleton)) if depth[j] == level]
            before = [j for j in range(len(skeleton)) if depth[j] == level - 1]
            self.levels.append((members, [before.index(skeleton.parents[j]) for j in members]))
            order += members
        self.order = [order.index(j) for j in range(len(skeleton))]

    def __call__(self, six: Tensor, root: Tensor) -> Tensor:
        """(N, J, 6) rows and (N, 3) metres -> (N, J, 3) metres, world."""
        local = orthonormal(six.float())
        offsets = self.offsets.to(six.device)
        turns, places = local[:, :1], root.float()[:, None]
        found = [places]
        for members, parents in self.levels:
            above = turns[:, parents]
            places = places[:, parents] + (above @ offsets[members][None, :, :, None])[..., 0]
            turns = above @ local[:, members]
            found.append(places)
        return torch.cat(found, 1)[:, self.order]


ANKLE = 8  # the joint whose place stands for a translation in the released data
Z_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])  # our axes to AMASS's


def as_released(frames: np.ndarray) -> np.ndarray:
    """Frames (T, 25, 6) in the axes of the released data: Z up, and the ankle of a body at the origin as its place.

    Source: inferred from the release (GuyTevet/MotionCLIP), whose paper does not say it.
    """
    out = np.array(frames, np.float32)
    six = torch.from_numpy(out[:, :-1])
    joints = ForwardKinematics(SKELETON[24])(six, torch.zeros(len(out), 3)).numpy()
    out[:, 0] = (Z_UP @ orthonormal(six[:, 0]).numpy())[:, :2].reshape(-1, 6)
    out[:, -1, :3] = joints[:, ANKLE] @ Z_UP.T
    return out


def upright(frames: np.ndarray) -> np.ndarray:
    """Frames with the root turned to +Z and at the origin, as the released code shows what it generates."""
    out = np.array(frames, np.float32)
    out[:, 0] = (1, 0, 0, 0, 1, 0)
    out[:, -1] = 0
    return out


def grounded(motion: Motion) -> Motion:
    """The motion with its lowest joint on the floor in every frame."""
    low = motion.joints()[..., 1].min(-1)
    return replace(motion, root=motion.root - low[:, None] * np.array([0.0, 1.0, 0.0]))
