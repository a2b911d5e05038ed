"""Forward kinematics, and rotations from joint positions by analytic inverse kinematics.

Both take numpy arrays or torch tensors; world frame, Y up, metres.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from laban.errors import ShapeError
from laban.motion import rotation
from laban.motion.easing import smoothstep
from laban.motion.skeleton import Skeleton

Array = Any


def _offsets(skeleton: Skeleton, like: Array) -> Array:
    xp = rotation.namespace(like)
    if xp is np:
        return skeleton.offsets.astype(like.dtype)
    return xp.tensor(skeleton.offsets.copy(), dtype=like.dtype, device=like.device)


def _expect_joints(skeleton: Skeleton, array: Array, width: int, what: str) -> None:
    if array.shape[-1] != width or array.shape[-2] != len(skeleton):
        raise ShapeError(
            f"kinematics: {what} have shape {tuple(array.shape)}; "
            f"{skeleton.name} needs (..., {len(skeleton)}, {width})."
        )


def global_rotations(skeleton: Skeleton, rotations: Array) -> Array:
    """World rotations of the joints.

    Args:
        skeleton: of J joints.
        rotations: (..., J, 4) unit wxyz, joint to parent.
    Returns: (..., J, 4) unit wxyz, joint to world.
    Raises: ShapeError if J is not the skeleton's.
    """
    _expect_joints(skeleton, rotations, 4, "rotations")
    xp = rotation.namespace(rotations)
    world: list[Array] = [rotations[..., 0, :]]
    for joint in range(1, len(skeleton)):
        world.append(rotation.multiply(world[skeleton.parents[joint]], rotations[..., joint, :]))
    return xp.stack(world, -2)


def forward(skeleton: Skeleton, rotations: Array, root: Array) -> Array:
    """Joint positions.

    Args:
        skeleton: of J joints.
        rotations: (..., J, 4) unit wxyz, joint to parent.
        root: (..., 3) metres, world position of joint 0.
    Returns: (..., J, 3) metres, world.
    Raises: ShapeError if J is not the skeleton's.
    """
    world = global_rotations(skeleton, rotations)
    return positions(skeleton, world, root)


def positions(skeleton: Skeleton, world: Array, root: Array) -> Array:
    """Joint positions (..., J, 3) from world rotations (..., J, 4) and the root's place (..., 3)."""
    xp = rotation.namespace(world)
    parents = np.array(skeleton.parents)
    bones = rotation.rotate(world[..., parents[1:], :], _offsets(skeleton, world)[1:])
    places: list[Array] = [root]
    for joint in range(1, len(skeleton)):
        places.append(places[parents[joint]] + bones[..., joint - 1, :])
    return xp.stack(places, -2)


def local_rotations(skeleton: Skeleton, world: Array) -> Array:
    """The inverse of `global_rotations`: (..., J, 4) joint to world -> (..., J, 4) joint to parent."""
    _expect_joints(skeleton, world, 4, "rotations")
    xp = rotation.namespace(world)
    parents = np.array(skeleton.parents)
    local = rotation.multiply(rotation.conjugate(world[..., parents[1:], :]), world[..., 1:, :])
    return xp.concatenate([world[..., :1, :], local], -2)


def _frame(primary: Array, secondary: Array) -> Array:
    """Orthonormal axes (..., 3, 3), columns: `primary`, the part of `secondary` square to it, their cross product."""
    xp = rotation.namespace(primary)
    x = rotation.unit(primary)
    z = rotation.unit(rotation.cross(x, secondary))
    return xp.stack([x, rotation.cross(z, x), z], -1)


def align(rest_a: Array, rest_b: Array, a: Array, b: Array) -> Array:
    """The rotation that takes direction `rest_a` onto `a` exactly, and `rest_b` as near to `b` as it then can."""
    rest_a, rest_b = _same(rest_a, a), _same(rest_b, b)
    xp = rotation.namespace(a)
    target, source = _frame(a, b), _frame(rest_a, rest_b)
    return rotation.from_matrix(target @ xp.swapaxes(source, -1, -2))


def _same(vector: Array, like: Array) -> Array:
    xp = rotation.namespace(like)
    if xp is np:
        return np.broadcast_to(np.asarray(vector, like.dtype), like.shape)
    return xp.as_tensor(np.array(vector), dtype=like.dtype, device=like.device).expand(like.shape)


# For limbs that bend in a plane: (upper joint, middle joint, end joint), and the middle joint's hinge in the rest
# pose (right-hand rule, bending closes the limb): knees bend the shin backwards, elbows the forearm forwards.
_LIMBS = (
    ("left_hip", "left_knee", "left_ankle", (1.0, 0.0, 0.0)),
    ("right_hip", "right_knee", "right_ankle", (1.0, 0.0, 0.0)),
    ("left_shoulder", "left_elbow", "left_wrist", (0.0, -1.0, 0.0)),
    ("right_shoulder", "right_elbow", "right_wrist", (0.0, 1.0, 0.0)),
)


def fit(skeleton: Skeleton, joints: Array) -> tuple[Array, Array]:
    """Rotations whose forward kinematics best follow given joints, with the skeleton's own bone lengths.

    Torso joints (more than one child) take the rotation that lies nearest to all their children's directions;
    the upper joint of a limb points its bone exactly and takes its twist from the plane in which the limb bends,
    fading to the untwisted direction as the limb straightens, so that a straight limb does not spin. Single
    bones take the shortest turn from their parent. Where the given joints are those of the same rigid skeleton
    the positions come back; otherwise the bone directions do.

    Args:
        skeleton: of J joints.
        joints: (T, J, 3) metres, world. T is needed in front: limb planes are made continuous over time.
    Returns: rotations (T, J, 4) unit wxyz joint to parent, sign-continuous; root (T, 3) metres.
    Raises: ShapeError if J is not the skeleton's.
    Source: ours. The released MoMask export solves this by 100 iterations of averaging, 15.6 mm off.
    """
    _expect_joints(skeleton, joints, 3, "joints")
    if joints.ndim != 3:
        raise ShapeError(f"kinematics.fit: joints have shape {tuple(joints.shape)}; expected (T, J, 3).")
    joints = np.asarray(joints, np.float64)
    count, frames = len(skeleton), joints.shape[0]
    offsets = skeleton.offsets
    bones = np.zeros_like(joints)
    parents = np.array(skeleton.parents)
    bones[:, 1:] = joints[:, 1:] - joints[:, parents[1:]]
    world: list[np.ndarray] = [np.zeros((frames, 4))] * count
    hinges = _limb_hinges(skeleton)
    identity = np.broadcast_to(np.array(rotation.IDENTITY), (frames, 4))

    for joint in range(count):
        parent_world = identity if joint == 0 else world[parents[joint]]
        children = skeleton.children(joint)
        if not children:
            world[joint] = parent_world
        elif len(children) > 1:
            world[joint] = _fit_branch(offsets[list(children)], bones[:, list(children)], parent_world)
        elif joint in hinges:
            middle, end, hinge = hinges[joint]
            world[joint] = _fit_limb(offsets[middle], hinge, bones[:, middle], bones[:, end], parent_world)
        elif joint in {m for m, _, _ in hinges.values()}:
            world[joint] = _fit_hinge(offsets[children[0]], bones[:, children[0]], parent_world)
        else:
            child = children[0]
            swing = rotation.between(rotation.rotate(parent_world, offsets[child]), bones[:, child])
            world[joint] = rotation.multiply(swing, parent_world)
    rotations = local_rotations(skeleton, np.stack(world, 1))
    return rotation.continuous(rotations), joints[:, 0].copy()


def _limb_hinges(skeleton: Skeleton) -> dict[int, tuple[int, int, np.ndarray]]:
    found = {}
    for upper, middle, end, hinge in _LIMBS:
        if all(n in skeleton.names for n in (upper, middle, end)):
            a, b, c = (skeleton.names.index(n) for n in (upper, middle, end))
            if skeleton.parents[b] == a and skeleton.parents[c] == b:
                found[a] = (b, c, np.array(hinge))
    return found


def _fit_branch(rest: np.ndarray, bones: np.ndarray, parent: np.ndarray) -> np.ndarray:
    """Least-squares rotation (Kabsch) of unit child directions; weights favour the long way across.

    The parent's rotation enters with a small weight so that nearly flat sets of children stay determined.
    """
    a = rest / np.linalg.norm(rest, axis=-1, keepdims=True)
    b = rotation.unit(bones)
    covariance = np.einsum("tci,cj->tij", b, a)
    covariance = covariance + 1e-6 * rotation.to_matrix(parent)
    u, _, vt = np.linalg.svd(covariance)
    sign = np.sign(np.linalg.det(u @ vt))
    u[..., :, 2] *= sign[:, None]
    return rotation.from_matrix(u @ vt)


def _fit_limb(
    rest: np.ndarray, hinge: np.ndarray, upper: np.ndarray, lower: np.ndarray, parent: np.ndarray
) -> np.ndarray:
    """World rotation of a limb's upper joint: bone exact, twist from the bending plane where the limb is bent."""
    swing = rotation.multiply(rotation.between(rotation.rotate(parent, rest), upper), parent)
    untwisted = rotation.rotate(swing, np.broadcast_to(hinge, upper.shape))
    direction = rotation.unit(upper)
    normal = rotation.cross(direction, rotation.unit(lower))  # length = sine of the bend
    sine = np.linalg.norm(normal, axis=-1, keepdims=True)
    weight = smoothstep(np.clip((sine - 0.05) / 0.30, 0.0, 1.0))
    # A noisy, nearly straight limb may bend the wrong way; its plane is then not believed.
    agrees = (rotation.unit(normal) * untwisted).sum(-1, keepdims=True)
    firm = np.clip((sine - 0.2) / 0.3, 0.0, 1.0)  # a clear bend is believed in any case
    weight = weight * (np.clip((agrees + 0.25) / 0.5, 0.0, 1.0) * (1 - firm) + firm)
    axis = (1 - weight) * untwisted + weight * rotation.unit(normal)
    return align(rest, hinge, direction, axis)


def _fit_hinge(rest: np.ndarray, bone: np.ndarray, parent: np.ndarray) -> np.ndarray:
    """World rotation of a limb's middle joint: the shortest turn from the upper bone's frame."""
    swing = rotation.between(rotation.rotate(parent, rest), bone)
    return rotation.multiply(swing, parent)
