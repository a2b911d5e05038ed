"""The HumanML3D (263, metres, 20 fps) and KIT-ML (251, millimetres, 12.5 fps) features, and back to joints.

Source: Guo et al., "Generating Diverse and Natural 3D Human Motions from Text", CVPR 2022, section 3, and the
released processing, whose habits are kept because every model and evaluator of the field was trained with them:

* the hips' labels are swapped in the running heading, so the hips' and shoulders' shares largely cancel;
* that heading is smoothed over time (Gaussian, sigma 20 frames), and frame 0 is forced to face +Z;
* the root's yaw rate is the asin of a quaternion component, which is half of the yaw per frame;
* a joint's rotation stands at the child, and every chain, the arms too, starts again from the root's rotation;
* the pelvis rotation is yaw only, bones are swung without twist, the last frame is lost (F = T - 1).

Column layout for J joints: root yaw rate 1, root velocity x and z 2, root height 1, local positions 3(J-1),
6-D local rotations 6(J-1), local velocities 3J, foot contacts 4. Read the columns by the named slices of `Layout`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from laban.errors import ShapeError
from laban.motion import rotation

Array = Any

_UP = np.array([0.0, 1.0, 0.0])
_SIGMA = 20.0  # frames, of the heading's smoothing
_REACH = 80  # 4 sigma on either side, where the released filter is cut off


@dataclass(frozen=True)
class Layout:
    """A skeleton as the features see it.

    Attributes:
        joints: J. chains: from the root, or from a chest joint, outwards. directions: (J, 3) unit rest directions.
        lengths: (J,) bone lengths that clips are fitted to. across: (right hip, left hip, right shoulder,
        left shoulder). feet: contact joints in column order. leg: the two joints whose bones give the scale.
        contact: squared displacement per frame below which a foot is in contact. fps; unit in metres.
    """

    name: str
    joints: int
    chains: tuple[tuple[int, ...], ...]
    directions: tuple[tuple[int, int, int], ...]
    lengths: tuple[float, ...]
    across: tuple[int, int, int, int]
    feet: tuple[int, int, int, int]
    leg: tuple[int, int]
    contact: float
    fps: float
    unit: float

    @property
    def width(self) -> int:
        """Columns: 12 J - 1."""
        return 12 * self.joints - 1

    yaw_rate = slice(0, 1)
    root_velocity = slice(1, 3)
    root_height = slice(3, 4)

    @property
    def positions(self) -> slice:
        """Joints 1 ... J-1: x and z relative to the root, y above the floor, in the frame of the heading."""
        return slice(4, 4 + 3 * (self.joints - 1))

    @property
    def rotations(self) -> slice:
        """6-D local rotations of joints 1 ... J-1."""
        return slice(self.positions.stop, self.positions.stop + 6 * (self.joints - 1))

    @property
    def velocities(self) -> slice:
        """Displacement per frame of all joints in the frame of the heading."""
        return slice(self.rotations.stop, self.rotations.stop + 3 * self.joints)

    @property
    def contacts(self) -> slice:
        """1 where a foot joint (in the order of `feet`) moves less than the threshold."""
        return slice(self.width - 4, self.width)

    @cached_property
    def offsets(self) -> np.ndarray:
        """(J, 3) rest directions times bone lengths, in the layout's unit."""
        return np.array(self.directions, np.float64) * np.array(self.lengths)[:, None]


_Y, _DOWN, _X, _NX, _Z, _O = (0, 1, 0), (0, -1, 0), (1, 0, 0), (-1, 0, 0), (0, 0, 1), (0, 0, 0)

HUMANML = Layout(
    name="humanml3d",
    joints=22,
    chains=((0, 2, 5, 8, 11), (0, 1, 4, 7, 10), (0, 3, 6, 9, 12, 15), (9, 14, 17, 19, 21), (9, 13, 16, 18, 20)),
    directions=(_O, _X, _NX, _Y, _DOWN, _DOWN, _Y, _DOWN, _DOWN, _Y, _Z, _Z, _Y, _X, _NX, _Z, *([_DOWN] * 6)),
    lengths=(
        0.0, 0.10307399, 0.10988338, 0.13156821, 0.3936232, 0.39018822, 0.14319022, 0.43243298, 0.4256434,
        0.05736477, 0.14338182, 0.14941908, 0.21936004, 0.13748683, 0.14338279, 0.10303924, 0.13161403, 0.12298436,
        0.25683993, 0.26309186, 0.26601177, 0.26987636,
    ),
    across=(2, 1, 17, 16),
    feet=(7, 10, 8, 11),
    leg=(5, 8),
    contact=0.002,
    fps=20.0,
    unit=1.0,
)  # fmt: skip

KIT = Layout(
    name="kit",
    joints=21,
    chains=((0, 11, 12, 13, 14, 15), (0, 16, 17, 18, 19, 20), (0, 1, 2, 3, 4), (3, 5, 6, 7), (3, 8, 9, 10)),
    directions=(
        _O, _Y, _Y, _Y, _Y, _X, _DOWN, _DOWN, _NX, _DOWN, _DOWN, _X, _DOWN, _DOWN, _Z, _Z, _NX, _DOWN, _DOWN, _Z, _Z,
    ),
    lengths=(
        0.0, 131.56818, 143.19029, 165.62872, 203.72902, 186.91464, 263.09192, 269.87637, 198.30394, 256.83984,
        266.0118, 109.88338, 390.1882, 425.6434, 89.65145, 104.59335, 103.07399, 393.6232, 432.43298, 86.02909,
        100.36728,
    ),
    across=(11, 16, 5, 8),
    feet=(19, 20, 14, 15),
    leg=(17, 18),
    contact=0.05,
    fps=12.5,
    unit=0.001,
)  # fmt: skip

LAYOUTS = {layout.name: layout for layout in (HUMANML, KIT)}


def layout_of(width: int) -> Layout:
    """The layout with that many feature columns. Raises ShapeError."""
    for layout in LAYOUTS.values():
        if layout.width == width:
            return layout
    raise ShapeError(f"humanml: no layout has {width} columns; HumanML3D has 263, KIT-ML 251.")


def _expect(joints: np.ndarray, layout: Layout, frames: int) -> None:
    if joints.ndim < 3 or joints.shape[-2:] != (layout.joints, 3) or joints.shape[-3] < frames:
        raise ShapeError(
            f"humanml: joints have shape {joints.shape}; {layout.name} needs (..., T, {layout.joints}, 3) with "
            f"T >= {frames}."
        )


def _heading(joints: np.ndarray, layout: Layout, swapped: bool) -> np.ndarray:
    """Horizontal facing (..., T, 3); `swapped` exchanges the hips as the released code does (see the module)."""
    right_hip, left_hip, right_shoulder, left_shoulder = layout.across
    hips = joints[..., right_hip, :] - joints[..., left_hip, :]
    across = (-hips if swapped else hips) + joints[..., right_shoulder, :] - joints[..., left_shoulder, :]
    across = across / np.linalg.norm(across, axis=-1, keepdims=True)
    return np.cross(_UP, across)


def _smooth(heading: np.ndarray) -> np.ndarray:
    """Gaussian over time (axis -2), the boundary repeated; float64."""
    taps = np.exp(-0.5 * (np.arange(-_REACH, _REACH + 1) / _SIGMA) ** 2)
    taps /= taps.sum()
    frames = heading.shape[-2]
    pad = [(0, 0)] * (heading.ndim - 2) + [(_REACH, _REACH), (0, 0)]
    padded = np.pad(heading, pad, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * _REACH + 1, axis=-2)
    return (windows @ taps)[..., :frames, :]


def _root_rotation(joints: np.ndarray, layout: Layout, smooth: bool) -> np.ndarray:
    """World-to-heading quaternions (..., T, 4), identity in frame 0."""
    heading = _heading(joints, layout, swapped=True)
    if smooth:
        heading = _smooth(heading)
    heading = heading / np.linalg.norm(heading, axis=-1, keepdims=True)
    root = rotation.between(heading, np.broadcast_to(np.array([0.0, 0.0, 1.0]), heading.shape))
    root[..., 0, :] = rotation.IDENTITY
    return root


def _swing(joints: np.ndarray, root: np.ndarray, layout: Layout) -> np.ndarray:
    """Local rotations (..., T, J, 4), each at the child of its bone; joint 0 carries `root`."""
    local = np.zeros((*joints.shape[:-1], 4))
    local[..., 0, :] = root
    rest = np.array(layout.directions, np.float64)
    for chain in layout.chains:
        world = root
        for parent, joint in zip(chain[:-1], chain[1:], strict=True):
            bone = joints[..., joint, :] - joints[..., parent, :]
            turn = rotation.between(np.broadcast_to(rest[joint], bone.shape), bone)
            local[..., joint, :] = rotation.multiply(rotation.conjugate(world), turn)
            world = rotation.multiply(world, local[..., joint, :])
    return local


def _walk_chains(local: Array, root: Array, offsets: Array, layout: Layout) -> Array:
    """Forward kinematics along the chains: each starts from the root's rotation. (..., J, 3)."""
    xp = rotation.namespace(local)
    places: list[Array] = [root] * layout.joints
    for chain in layout.chains:
        world = local[..., 0, :]
        for parent, joint in zip(chain[:-1], chain[1:], strict=True):
            world = rotation.multiply(world, local[..., joint, :])
            places[joint] = places[parent] + rotation.rotate(world, offsets[..., joint, :])
    return xp.stack(places, -2)


def fit_to_skeleton(joints: np.ndarray, layout: Layout, offsets: np.ndarray | None = None) -> np.ndarray:
    """Joints with the bone lengths of `offsets`: root scaled by the legs' ratio, swing-only IK, FK.

    Args:
        joints: (..., T, J, 3) in the layout's unit.
        layout: whose bone lengths and chains are used.
        offsets: (J, 3), by default the layout's.
    Returns: (..., T, J, 3).
    """
    _expect(joints, layout, 1)
    offsets = layout.offsets if offsets is None else np.asarray(offsets, np.float64)
    first = joints[..., 0, :, :]
    parents = {b: a for chain in layout.chains for a, b in zip(chain[:-1], chain[1:], strict=True)}
    source = sum(np.linalg.norm(first[..., j, :] - first[..., parents[j], :], axis=-1) for j in layout.leg)
    target = sum(np.abs(offsets[j]).max() for j in layout.leg)
    scale = np.asarray(target / source)[..., None, None]
    local = _swing(joints, _root_rotation(joints, layout, smooth=False), layout)
    return _walk_chains(local, joints[..., 0, :] * scale, offsets, layout)


def canonical(joints: np.ndarray, layout: Layout = HUMANML, offsets: np.ndarray | None = None) -> np.ndarray:
    """Joints fitted to the target skeleton, lowest point on y = 0, first root at x = z = 0, first facing +Z.

    Args:
        joints: (..., T, J, 3) world positions in the layout's unit and frame rate, Y up.
        layout: of the joints.
        offsets: (J, 3) bones to fit to, by default the layout's.
    Returns: (..., T, J, 3) float64.
    Raises: ShapeError if J is not the layout's.
    """
    joints = fit_to_skeleton(np.asarray(joints, np.float64), layout, offsets)
    joints = joints - joints[..., 1].min((-2, -1))[..., None, None, None] * _UP
    joints = joints - joints[..., :1, :1, :] * np.array([1.0, 0.0, 1.0])
    facing = _heading(joints[..., :1, :, :], layout, swapped=False)
    facing = facing / np.linalg.norm(facing, axis=-1, keepdims=True)
    turn = rotation.between(facing, np.broadcast_to(np.array([0.0, 0.0, 1.0]), facing.shape))
    return rotation.rotate(turn[..., None, :], joints)


def features_of(joints: np.ndarray, layout: Layout = HUMANML) -> np.ndarray:
    """Features (..., T-1, 12 J - 1) of canonical joints (..., T, J, 3); float64."""
    _expect(joints, layout, 2)
    root = _root_rotation(joints, layout, smooth=True)
    local = _swing(joints, root, layout)
    place = joints[..., 0, :]
    step = rotation.multiply(root[..., 1:, :], rotation.conjugate(root[..., :-1, :]))
    rate = np.arcsin(np.clip(step[..., 2:3], -1.0, 1.0))
    travel = rotation.rotate(root[..., 1:, :], place[..., 1:, :] - place[..., :-1, :])
    relative = joints - place[..., None, :] * np.array([1.0, 0.0, 1.0])
    relative = rotation.rotate(root[..., None, :], relative)[..., :-1, 1:, :]
    movement = joints[..., 1:, :, :] - joints[..., :-1, :, :]
    velocity = rotation.rotate(root[..., :-1, None, :], movement)
    contact = (movement[..., list(layout.feet), :] ** 2).sum(-1) < layout.contact
    rows = relative.shape[:-2]
    return np.concatenate(
        [
            rate,
            travel[..., [0, 2]],
            place[..., :-1, 1:2],
            relative.reshape(*rows, -1),
            rotation.to_six_d(local[..., :-1, 1:, :]).reshape(*rows, -1),
            velocity.reshape(*rows, -1),
            contact.astype(np.float64),
        ],
        -1,
    )


def encode(joints: np.ndarray, layout: Layout = HUMANML, offsets: np.ndarray | None = None) -> np.ndarray:
    """Features of a clip.

    Args:
        joints: (..., T, J, 3) world positions, Y up, in metres at 20 fps (HumanML3D) or mm at 12.5 fps (KIT-ML).
        layout: of the joints and the features.
        offsets: (J, 3) target bones, by default the layout's.
    Returns: (..., T-1, 12 J - 1) float32.
    Raises: ShapeError if J is not the layout's or T < 2.
    """
    joints = np.asarray(joints)
    _expect(joints, layout, 2)
    return features_of(canonical(joints, layout, offsets), layout).astype(np.float32)


def recover_root(features: Array, layout: Layout) -> tuple[Array, Array]:
    """World-to-heading quaternions (..., F, 4) and root positions (..., F, 3), integrated from the first frame."""
    xp = rotation.namespace(features)
    rate = features[..., layout.yaw_rate][..., 0]
    zero = xp.zeros_like(rate[..., :1])
    half = xp.concatenate([zero, xp.cumsum(rate[..., :-1], -1)], -1)
    nothing = xp.zeros_like(half)
    root = xp.stack([xp.cos(half), nothing, xp.sin(half), nothing], -1)
    step = features[..., layout.root_velocity]
    flat = xp.stack([step[..., 0], xp.zeros_like(step[..., 0]), step[..., 1]], -1)
    flat = xp.concatenate([xp.zeros_like(flat[..., :1, :]), flat[..., :-1, :]], -2)
    travelled = xp.cumsum(rotation.rotate(rotation.conjugate(root), flat), -2)
    place = xp.stack([travelled[..., 0], features[..., layout.root_height][..., 0], travelled[..., 2]], -1)
    return root, place


def decode(features: Array, layout: Layout | None = None) -> Array:
    """Joints from the positions in the features; numpy or torch, differentiable.

    Args:
        features: (..., F, 263 or 251), not normalised.
        layout: of the features; None: told by their width.
    Returns: (..., F, J, 3) in the layout's unit; the first root at x = z = 0.
    Raises: ShapeError if the last dimension is no layout's.
    """
    layout = layout or layout_of(features.shape[-1])
    xp = rotation.namespace(features)
    root, place = recover_root(features, layout)
    local = features[..., layout.positions]
    local = local.reshape(*local.shape[:-1], layout.joints - 1, 3)
    turned = rotation.rotate(rotation.conjugate(root)[..., None, :], local)
    ground = xp.stack([place[..., 0], xp.zeros_like(place[..., 0]), place[..., 2]], -1)
    return xp.concatenate([place[..., None, :], turned + ground[..., None, :]], -2)


def decode_rotations(features: Array, offsets: Array, layout: Layout | None = None) -> Array:
    """Joints (..., F, J, 3) from the rotations in the features and bone offsets (J, 3), whose lengths then hold."""
    layout = layout or layout_of(features.shape[-1])
    xp = rotation.namespace(features)
    root, place = recover_root(features, layout)
    six = features[..., layout.rotations]
    local = rotation.from_six_d(six.reshape(*six.shape[:-1], layout.joints - 1, 6))
    local = xp.concatenate([root[..., None, :], local], -2)
    return _walk_chains(local, place, offsets, layout)


def offsets_of(joints: np.ndarray, layout: Layout = HUMANML) -> np.ndarray:
    """(J, 3) rest directions times the bone lengths of one pose (J, 3)."""
    offsets = np.zeros((layout.joints, 3))
    for chain in layout.chains:
        for parent, joint in zip(chain[:-1], chain[1:], strict=True):
            length = np.linalg.norm(joints[joint] - joints[parent])
            offsets[joint] = np.array(layout.directions[joint]) * length
    return offsets
