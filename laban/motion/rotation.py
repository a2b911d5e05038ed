"""Rotations as unit quaternions `wxyz`, with conversions; every function takes numpy arrays or torch tensors.

Shapes are (..., 4) for quaternions, (..., 3) for vectors, axis-angles and Euler angles, (..., 3, 3) for
matrices, (..., 6) for the 6-D form. Leading dimensions broadcast. Angles are radians unless `degrees=True`.
With tensors every function is differentiable; nothing is done in place.
"""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np

from laban.errors import InputError

Array = Any  # a numpy array or a torch tensor

IDENTITY = (1.0, 0.0, 0.0, 0.0)
AXES = "XYZ"


def namespace(x: Array) -> Any:
    """The module (numpy or torch) that `x` belongs to; torch is not imported for arrays."""
    torch = sys.modules.get("torch")
    return torch if torch is not None and isinstance(x, torch.Tensor) else np


def _safe_unit(x: Array, tiny: float = 1e-12) -> Array:
    xp = namespace(x)
    square = (x * x).sum(-1)[..., None]
    small = square < tiny * tiny
    return x / xp.where(small, xp.ones_like(square), square) ** 0.5


def cross(a: Array, b: Array) -> Array:
    """Cross product over the last axis, (..., 3) x (..., 3) -> (..., 3)."""
    xp = namespace(a)
    ax, ay, az = a[..., 0], a[..., 1], a[..., 2]
    bx, by, bz = b[..., 0], b[..., 1], b[..., 2]
    return xp.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], -1)


def unit(v: Array) -> Array:
    """Vectors of length one, (..., N); a vector shorter than 1e-12 comes back as it is."""
    return _safe_unit(v)


def normalise(q: Array) -> Array:
    """Quaternions of length one, (..., 4); zero stays zero."""
    return _safe_unit(q)


def multiply(a: Array, b: Array) -> Array:
    """Hamilton product: first `b`, then `a`. (..., 4)."""
    xp = namespace(a)
    aw, ax, ay, az = a[..., 0], a[..., 1], a[..., 2], a[..., 3]
    bw, bx, by, bz = b[..., 0], b[..., 1], b[..., 2], b[..., 3]
    return xp.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        -1,
    )


def conjugate(q: Array) -> Array:
    """The inverse of a unit quaternion, (..., 4)."""
    xp = namespace(q)
    return xp.concatenate([q[..., :1], -q[..., 1:]], -1)


def rotate(q: Array, v: Array) -> Array:
    """Vectors `v` (..., 3) turned by unit quaternions `q` (..., 4)."""
    w, u = q[..., :1], q[..., 1:]
    t = 2.0 * cross(*_broadcast(u, v))
    return v + w * t + cross(*_broadcast(u, t))


def _broadcast(a: Array, b: Array) -> tuple[Array, Array]:
    xp = namespace(a)
    return tuple(xp.broadcast_tensors(a, b)) if xp is not np else tuple(np.broadcast_arrays(a, b))  # type: ignore[return-value]


def to_matrix(q: Array) -> Array:
    """Rotation matrices (..., 3, 3) of unit quaternions (..., 4); columns are the turned axes."""
    xp = namespace(q)
    w, x, y, z = q[..., 0], q[..., 1], q[..., 2], q[..., 3]
    rows = [
        xp.stack([1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)], -1),
        xp.stack([2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)], -1),
        xp.stack([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)], -1),
    ]
    return xp.stack(rows, -2)


def from_matrix(m: Array) -> Array:
    """Unit quaternions (..., 4) with w >= 0 of rotation matrices (..., 3, 3).

    Of the four classical formulas (Shepperd 1978) the best conditioned is taken per element.
    """
    xp = namespace(m)
    m00, m01, m02 = m[..., 0, 0], m[..., 0, 1], m[..., 0, 2]
    m10, m11, m12 = m[..., 1, 0], m[..., 1, 1], m[..., 1, 2]
    m20, m21, m22 = m[..., 2, 0], m[..., 2, 1], m[..., 2, 2]
    squares = xp.stack([1 + m00 + m11 + m22, 1 + m00 - m11 - m22, 1 - m00 + m11 - m22, 1 - m00 - m11 + m22], -1)
    candidates = xp.stack(
        [
            xp.stack([squares[..., 0], m21 - m12, m02 - m20, m10 - m01], -1),
            xp.stack([m21 - m12, squares[..., 1], m10 + m01, m02 + m20], -1),
            xp.stack([m02 - m20, m10 + m01, squares[..., 2], m12 + m21], -1),
            xp.stack([m10 - m01, m02 + m20, m12 + m21, squares[..., 3]], -1),
        ],
        -2,
    )
    best = squares.argmax(-1)
    chosen = (
        np.take_along_axis(candidates, best[..., None, None], -2)
        if xp is np
        else xp.take_along_dim(candidates, best[..., None, None], -2)
    )[..., 0, :]
    q = normalise(chosen)
    return xp.where(q[..., :1] < 0, -q, q)


def from_axis_angle(v: Array) -> Array:
    """Unit quaternions (..., 4) of rotation vectors (..., 3) in radians."""
    xp = namespace(v)
    square = (v * v).sum(-1)[..., None]
    small = square < 1e-12
    angle = xp.where(small, xp.ones_like(square), square) ** 0.5
    scale = xp.where(small, 0.5 - square / 48.0, xp.sin(angle / 2) / angle)
    w = xp.where(small, 1.0 - square / 8.0, xp.cos(angle / 2))
    return normalise(xp.concatenate([w, v * scale], -1))


def to_axis_angle(q: Array) -> Array:
    """Rotation vectors (..., 3) in radians, at most pi long, of unit quaternions (..., 4)."""
    xp = namespace(q)
    q = xp.where(q[..., :1] < 0, -q, q)
    w, u = q[..., :1], q[..., 1:]
    square = (u * u).sum(-1)[..., None]
    small = square < 1e-12
    sine = xp.where(small, xp.ones_like(square), square) ** 0.5
    atan2 = np.arctan2 if xp is np else xp.atan2
    scale = xp.where(small, 2.0 + square / 3.0, 2.0 * atan2(sine, w) / sine)
    return u * scale


def to_six_d(q: Array) -> Array:
    """The first two columns of the matrix, one after the other, (..., 6). Source: Zhou et al. 2019."""
    xp = namespace(q)
    m = to_matrix(q)
    return xp.concatenate([m[..., :, 0], m[..., :, 1]], -1)


def from_six_d(d: Array) -> Array:
    """Unit quaternions of 6-D rotations (..., 6), made orthonormal by Gram-Schmidt. Source: Zhou et al. 2019."""
    xp = namespace(d)
    x = unit(d[..., 0:3])
    z = unit(cross(x, d[..., 3:6]))
    return from_matrix(xp.stack([x, cross(z, x), z], -1))


def _check_order(order: str) -> str:
    order = order.upper()
    if len(order) != 3 or any(axis not in AXES for axis in order) or order[0] == order[1] or order[1] == order[2]:
        raise InputError(f"Euler order {order!r}: expected three of X, Y, Z with no axis twice in a row, like 'ZXY'.")
    return order


def _about(axis: str, angle: Array) -> Array:
    xp = namespace(angle)
    zero = xp.zeros_like(angle)
    parts = [xp.cos(angle / 2), zero, zero, zero]
    parts[1 + AXES.index(axis)] = xp.sin(angle / 2)
    return xp.stack(parts, -1)


def from_euler(angles: Array, order: str, degrees: bool = False) -> Array:
    """Unit quaternions of intrinsic Euler angles (..., 3): R = R_first @ R_second @ R_third.

    The last axis of `angles` follows `order`, as the channels of a BVH file do. All twelve orders work.
    """
    order = _check_order(order)
    if degrees:
        angles = angles * (math.pi / 180.0)
    a, b, c = (_about(axis, angles[..., i]) for i, axis in enumerate(order))
    return multiply(multiply(a, b), c)


def to_euler(q: Array, order: str, degrees: bool = False) -> Array:
    """Intrinsic Euler angles (..., 3) of unit quaternions, in the sequence of `order`.

    The middle angle lies in [-pi/2, pi/2] (three axes) or [0, pi] (first axis = third). At gimbal lock the
    third angle is 0 and the first carries the whole turn.
    Source: Bernardes and Viollet 2022, "Quaternion to Euler angles conversion", written for intrinsic orders.
    """
    order = _check_order(order)
    xp = namespace(q)
    atan2 = np.arctan2 if xp is np else xp.atan2
    # The published form is extrinsic with first axis i; intrinsic ABC equals extrinsic CBA.
    i, j, k = (AXES.index(axis) + 1 for axis in reversed(order))
    proper = i == k
    if proper:
        k = 6 - i - j
    sign = (i - j) * (j - k) * (k - i) / 2.0
    w, qi, qj, qk = q[..., 0], q[..., i], q[..., j], q[..., k] * sign
    a, b, c, d = (w, qi, qj, qk) if proper else (w - qj, qi + qk, qj + w, qk - qi)
    n2 = 2.0 * atan2((c * c + d * d) ** 0.5, (a * a + b * b) ** 0.5)
    half_sum, half_difference = atan2(b, a), atan2(d, c)
    eps = 1e-6
    low, high = n2 < eps, n2 > math.pi - eps
    lock = low | high
    first = xp.where(lock, xp.zeros_like(n2), half_sum - half_difference)
    last_low, last_high = 2.0 * half_sum, 2.0 * half_difference
    last = xp.where(low, last_low, xp.where(high, last_high, half_sum + half_difference))
    middle = n2
    if not proper:
        last = last * sign
        middle = n2 - math.pi / 2
    angles = xp.stack([last, middle, first], -1)  # back to the intrinsic sequence
    angles = angles - 2 * math.pi * xp.round(angles / (2 * math.pi))
    return angles * (180.0 / math.pi) if degrees else angles


def between(a: Array, b: Array) -> Array:
    """The shortest rotation (..., 4) that takes direction `a` to `b` (..., 3); opposite vectors turn about any axis."""
    xp = namespace(a)
    a, b = _broadcast(unit(a), unit(b))
    w = 1.0 + (a * b).sum(-1)[..., None]
    opposite = w < 1e-7
    x_axis = xp.zeros_like(a) + _like((1.0, 0.0, 0.0), a)
    y_axis = xp.zeros_like(a) + _like((0.0, 1.0, 0.0), a)
    side = cross(a, xp.where(abs(a[..., :1]) < 0.9, x_axis, y_axis))
    q = xp.concatenate([w, cross(a, b)], -1)
    flip = xp.concatenate([xp.zeros_like(w), side], -1)
    return normalise(xp.where(opposite, flip, q))


def _like(values: tuple[float, ...], x: Array) -> Array:
    xp = namespace(x)
    return np.asarray(values, x.dtype) if xp is np else xp.tensor(values, dtype=x.dtype, device=x.device)


def yaw(angle: Array) -> Array:
    """Unit quaternions (..., 4) that turn by `angle` (...) about +Y; positive is to the character's left."""
    return _about("Y", angle)


def slerp(a: Array, b: Array, t: Array) -> Array:
    """Shortest spherical interpolation, `a` at t=0 and `b` at t=1; `t` broadcasts against (...,)."""
    xp = namespace(a)
    dot = (a * b).sum(-1)[..., None]
    b = xp.where(dot < 0, -b, b)
    dot = xp.clip(abs(dot), 0.0, 1.0)
    t = t[..., None] if hasattr(t, "ndim") and t.ndim else t
    near = dot > 0.9995
    angle = (np.arccos if xp is np else xp.acos)(xp.where(near, xp.zeros_like(dot), dot))
    sine = xp.where(near, xp.ones_like(dot), xp.sin(angle))
    wa = xp.where(near, 1.0 - t + 0 * dot, xp.sin((1.0 - t) * angle) / sine)
    wb = xp.where(near, t + 0 * dot, xp.sin(t * angle) / sine)
    return normalise(wa * a + wb * b)


def continuous(q: Array) -> Array:
    """The same rotations (T, ..., 4) with signs chosen so that neighbours in time (axis 0) are never opposite."""
    xp = namespace(q)
    if q.shape[0] < 2:
        return q
    dots = (q[1:] * q[:-1]).sum(-1)
    flips = xp.where(dots < 0, -xp.ones_like(dots), xp.ones_like(dots))
    signs = xp.concatenate([xp.ones_like(flips[:1]), xp.cumprod(flips, 0)], 0)
    return q * signs[..., None]
