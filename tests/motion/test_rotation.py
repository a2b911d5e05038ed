"""Rotations: the axioms of a group, round trips, gradients, and roma and scipy as oracles."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import roma
import torch
from scipy.spatial.transform import Rotation as Oracle

from laban.errors import InputError
from laban.motion import rotation

SHAPES = [(), (1,), (7,), (2, 3), (2, 1, 4), (0,)]
ORDERS = ["".join(o) for o in itertools.product("XYZ", repeat=3) if o[0] != o[1] and o[1] != o[2]]
KINDS = ["numpy", "torch"]


def quaternions(shape: tuple[int, ...], seed: int = 0, kind: str = "numpy"):
    q = np.random.default_rng(seed).normal(size=(*shape, 4))
    q /= np.linalg.norm(q, axis=-1, keepdims=True)
    return torch.from_numpy(q) if kind == "torch" else q


def vectors(shape: tuple[int, ...], seed: int = 9, kind: str = "numpy"):
    v = np.random.default_rng(seed).normal(size=(*shape, 3))
    return torch.from_numpy(v) if kind == "torch" else v


def array(x) -> np.ndarray:
    return x.detach().numpy() if isinstance(x, torch.Tensor) else x


def close(a, b, tolerance: float = 1e-12) -> None:
    np.testing.assert_allclose(array(a), array(b), atol=tolerance, rtol=0)


def same_rotation(a, b, tolerance: float = 1e-12) -> None:
    """Equal up to sign: q and -q turn alike."""
    close(abs((array(a) * array(b)).sum(-1)), np.ones(array(a).shape[:-1]), tolerance)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
class TestGroup:
    def test_closure(self, shape, kind):
        a, b = quaternions(shape, 1, kind), quaternions(shape, 2, kind)
        product = rotation.multiply(a, b)
        assert type(product) is type(a) and tuple(product.shape) == (*shape, 4)
        close((product**2).sum(-1), np.ones(shape))

    def test_identity(self, shape, kind):
        q = quaternions(shape, 3, kind)
        one = np.broadcast_to(np.array(rotation.IDENTITY), (*shape, 4)).copy()
        one = torch.from_numpy(one) if kind == "torch" else one
        close(rotation.multiply(q, one), q)
        close(rotation.multiply(one, q), q)
        v = vectors(shape, kind=kind)
        close(rotation.rotate(one, v), v)

    def test_inverse(self, shape, kind):
        q = quaternions(shape, 4, kind)
        one = np.broadcast_to(np.array(rotation.IDENTITY), (*shape, 4))
        close(rotation.multiply(q, rotation.conjugate(q)), one)
        close(rotation.multiply(rotation.conjugate(q), q), one)
        v = vectors(shape, kind=kind)
        close(rotation.rotate(rotation.conjugate(q), rotation.rotate(q, v)), v)

    def test_associativity_and_action(self, shape, kind):
        a, b, c = (quaternions(shape, s, kind) for s in (5, 6, 7))
        close(rotation.multiply(rotation.multiply(a, b), c), rotation.multiply(a, rotation.multiply(b, c)))
        v = vectors(shape, kind=kind)
        close(rotation.rotate(rotation.multiply(a, b), v), rotation.rotate(a, rotation.rotate(b, v)))

    def test_matrix_is_a_homomorphism_and_comes_back(self, shape, kind):
        a, b = quaternions(shape, 8, kind), quaternions(shape, 9, kind)
        close(rotation.to_matrix(rotation.multiply(a, b)), rotation.to_matrix(a) @ rotation.to_matrix(b))
        same_rotation(rotation.from_matrix(rotation.to_matrix(a)), a)

    def test_six_d_and_axis_angle_come_back(self, shape, kind):
        q = quaternions(shape, 10, kind)
        d = rotation.to_six_d(q)
        assert tuple(d.shape) == (*shape, 6)
        same_rotation(rotation.from_six_d(d), q)
        m = rotation.to_matrix(q)
        close(d[..., :3], m[..., :, 0])
        close(d[..., 3:], m[..., :, 1])
        v = rotation.to_axis_angle(q)
        assert (array((v**2).sum(-1)) <= np.pi**2 + 1e-9).all()
        same_rotation(rotation.from_axis_angle(v), q)

    @pytest.mark.parametrize("order", ORDERS)
    def test_euler_comes_back(self, shape, kind, order):
        q = quaternions(shape, 11, kind)
        angles = rotation.to_euler(q, order)
        assert tuple(angles.shape) == (*shape, 3)
        same_rotation(rotation.from_euler(angles, order), q, 1e-9)


@pytest.mark.parametrize("order", ORDERS)
def test_euler_agrees_with_scipy(order):
    q = quaternions((200,), 12)
    expected = Oracle.from_quat(q[:, [1, 2, 3, 0]])
    middle = rotation.to_euler(q, order, degrees=True)
    same_rotation(rotation.from_euler(expected.as_euler(order, degrees=True), order, degrees=True), q, 1e-9)
    close(middle, expected.as_euler(order, degrees=True), 1e-6)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("angle", [0.0, np.pi / 2, -np.pi / 2, np.pi])
def test_euler_survives_gimbal_lock(order, angle):
    angles = np.array([[0.3, angle, -0.7], [0.0, angle, 0.0], [2.9, angle, 1.1]])
    q = rotation.from_euler(angles, order)
    back = rotation.to_euler(q, order)
    assert np.isfinite(back).all()
    same_rotation(rotation.from_euler(back, order), q, 1e-9)


def test_euler_order_is_that_of_bvh_channels():
    z, x, y = 30.0, 40.0, 50.0
    expected = (
        Oracle.from_euler("z", z, degrees=True)
        * Oracle.from_euler("x", x, degrees=True)
        * Oracle.from_euler("y", y, degrees=True)
    )
    q = rotation.from_euler(np.array([z, x, y]), "ZXY", degrees=True)
    close(rotation.to_matrix(q), expected.as_matrix())


@pytest.mark.parametrize("order", ["XX", "XXY", "ABC", "XYZW", ""])
def test_bad_euler_order_says_so(order):
    with pytest.raises(InputError, match="order"):
        rotation.from_euler(np.zeros(3), order)
    with pytest.raises(InputError, match="order"):
        rotation.to_euler(np.array(rotation.IDENTITY), order)


def test_agrees_with_roma():
    q, p = quaternions((64,), 13, "torch"), quaternions((64,), 14, "torch")
    v = vectors((64,), kind="torch")
    other, others = q[:, [1, 2, 3, 0]], p[:, [1, 2, 3, 0]]  # roma is xyzw
    close(rotation.to_matrix(q), roma.unitquat_to_rotmat(other))
    close(rotation.multiply(q, p)[:, [1, 2, 3, 0]], roma.quat_product(other, others))
    close(rotation.rotate(q, v), roma.quat_action(other, v))
    same_rotation(rotation.from_matrix(roma.unitquat_to_rotmat(other)), q)
    close(
        rotation.to_matrix(rotation.from_axis_angle(rotation.to_axis_angle(q))),
        roma.rotvec_to_rotmat(roma.unitquat_to_rotvec(other)),
    )
    columns = torch.stack([rotation.to_six_d(q)[:, :3], rotation.to_six_d(q)[:, 3:]], -1)
    close(roma.special_gramschmidt(columns), rotation.to_matrix(q))
    for t in (0.0, 0.2, 0.5, 1.0):
        mine = rotation.slerp(q, p, torch.tensor(t, dtype=torch.float64))
        theirs = roma.unitquat_slerp(other, others, torch.tensor([t], dtype=torch.float64), shortest_arc=True)
        same_rotation(mine, theirs.reshape(-1, 4)[:, [3, 0, 1, 2]], 1e-9)


def test_half_turns_come_back_through_matrices():
    q = np.concatenate([np.eye(4), quaternions((50,), 15) * np.array([1e-9, 1, 1, 1])])
    q /= np.linalg.norm(q, axis=-1, keepdims=True)
    same_rotation(rotation.from_matrix(rotation.to_matrix(q)), q)


@pytest.mark.parametrize("kind", KINDS)
def test_between_takes_one_to_the_other(kind):
    a, b = vectors((50,), 16, kind), vectors((50,), 17, kind)
    q = rotation.between(a, b)
    close(rotation.rotate(q, rotation.unit(a)), rotation.unit(b))
    # shortest: the axis is square to both
    close((q[..., 1:] * a).sum(-1), np.zeros(50))
    opposite = rotation.between(a, -a)
    close(rotation.rotate(opposite, a), -a, 1e-6)
    close((opposite**2).sum(-1), np.ones(50))
    close(rotation.between(a, 2 * a)[..., 0], np.ones(50))


@pytest.mark.parametrize("kind", KINDS)
def test_yaw_turns_forward_to_the_left(kind):
    angle = np.array(np.pi / 2)
    angle = torch.from_numpy(angle) if kind == "torch" else angle
    z = np.array([0.0, 0.0, 1.0])
    z = torch.from_numpy(z) if kind == "torch" else z
    close(rotation.rotate(rotation.yaw(angle), z), np.array([1.0, 0.0, 0.0]))


def test_slerp_is_even_and_takes_the_short_way():
    a, b = quaternions((30,), 18), quaternions((30,), 19)
    close(rotation.slerp(a, b, 0.0), a)
    same_rotation(rotation.slerp(a, b, 1.0), b)
    close(rotation.slerp(a, -b, 0.3), rotation.slerp(a, b, 0.3))
    t = np.linspace(0, 1, 11)
    path = rotation.slerp(a[:, None], b[:, None], np.broadcast_to(t, (30, 11)))
    dots = (path[:, 1:] * path[:, :-1]).sum(-1)
    close(dots, np.broadcast_to(dots[:, :1], dots.shape), 1e-6)
    assert (dots > np.cos(np.pi / 20) - 1e-9).all()


def test_slerp_of_near_neighbours_is_finite():
    a = quaternions((5,), 20)
    close(rotation.slerp(a, a, 0.5), a)
    b = rotation.normalise(a + 1e-9)
    assert np.isfinite(rotation.slerp(a, b, 0.5)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_continuous_changes_signs_only(kind):
    turn = np.linspace(0, 6 * np.pi, 60)
    smooth = np.stack([rotation.yaw(turn), rotation.yaw(-turn)], 1)
    flips = np.where(np.random.default_rng(21).random((60, 2, 1)) < 0.5, -1.0, 1.0)
    flips[0] = 1.0
    broken = smooth * flips
    broken = torch.from_numpy(broken) if kind == "torch" else broken
    close(rotation.continuous(broken), smooth)


def test_zero_quaternion_stays_finite():
    assert np.isfinite(rotation.normalise(np.zeros((2, 4)))).all()
    assert np.isfinite(rotation.from_six_d(np.zeros((2, 6)))).all()


@pytest.mark.parametrize(
    "name",
    ["multiply", "rotate", "to_matrix", "from_matrix", "to_six_d", "from_six_d", "to_axis_angle",
     "from_axis_angle", "to_euler", "from_euler", "between", "slerp", "normalise"],
)  # fmt: skip
def test_gradients(name):
    q, p = quaternions((3,), 22, "torch"), quaternions((3,), 23, "torch")
    v, w = vectors((3,), 24, "torch"), vectors((3,), 25, "torch")
    inputs = {
        "multiply": (q, p), "rotate": (q, v), "from_matrix": (rotation.to_matrix(q),),
        "from_six_d": (rotation.to_six_d(q) + 0.1,), "from_axis_angle": (v,), "from_euler": (v,),
        "between": (v, w), "slerp": (q, p),
    }.get(name, (q,))  # fmt: skip
    function = getattr(rotation, name)
    call = {
        "to_euler": lambda x: function(x, "ZXY"),
        "from_euler": lambda x: function(x, "YZX"),
        "slerp": lambda a, b: function(a, b, torch.tensor(0.3, dtype=torch.float64)),
    }.get(name, function)
    inputs = tuple(x.clone().requires_grad_(True) for x in inputs)
    assert torch.autograd.gradcheck(call, inputs)


@pytest.mark.parametrize("name", ["to_axis_angle", "from_axis_angle", "from_six_d", "slerp"])
def test_gradients_are_finite_at_identity(name):
    one = torch.tensor([rotation.IDENTITY], dtype=torch.float64)
    x = {
        "from_axis_angle": torch.zeros(1, 3, dtype=torch.float64),
        "from_six_d": rotation.to_six_d(one),
    }.get(name, one)
    x = x.clone().requires_grad_(True)
    function = getattr(rotation, name)
    y = function(x, one, torch.tensor(0.5, dtype=torch.float64)) if name == "slerp" else function(x)
    y.sum().backward()
    assert x.grad is not None and torch.isfinite(x.grad).all()


def test_single_precision_stays_single():
    q = quaternions((4,), 26).astype(np.float32)
    for result in (
        rotation.multiply(q, q), rotation.to_matrix(q), rotation.from_matrix(rotation.to_matrix(q)),
        rotation.to_six_d(q), rotation.from_six_d(rotation.to_six_d(q)), rotation.to_euler(q, "XYZ"),
    ):  # fmt: skip
        assert result.dtype == np.float32
    assert rotation.to_matrix(torch.from_numpy(q)).dtype == torch.float32
