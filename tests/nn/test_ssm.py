"""The state-space layer: every way to compute it agrees, padding is neutral, gradients are right."""

import pytest
import torch

from laban.errors import InputError, ShapeError
from laban.nn.ssm import Scan, StateSpace, StateSpaceConfig, ssd, ssd_step

SIZES = StateSpaceConfig(width=12, inner=16, heads=4, state=5, conv=4, chunk=8)
ONE_WAY = StateSpaceConfig(width=12, inner=16, heads=4, state=5, conv=4, chunk=8, backward=False)


def source(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def inputs(length: int = 37, batch: int = 2, heads: int = 3, inner: int = 4, state: int = 5):
    g = source()

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=g, dtype=torch.float64)

    decay = -torch.rand(batch, length, heads, generator=g, dtype=torch.float64) * 2
    step = torch.rand(batch, length, heads, generator=g, dtype=torch.float64)
    b, c = draw(batch, length, state), draw(batch, length, state)
    return draw(batch, length, heads, inner), step, decay, b, c, draw(batch, heads, inner, state)


def naive(x, step, log_decay, b, c, state):
    """The definition, one number at a time over positions."""
    h, out = state.clone(), []
    for t in range(x.shape[1]):
        h = log_decay[:, t].exp()[:, :, None, None] * h + torch.einsum("bhp,bh,bn->bhpn", x[:, t], step[:, t], b[:, t])
        out.append(torch.einsum("bhpn,bn->bhp", h, c[:, t]))
    return torch.stack(out, 1), h


def close(a: torch.Tensor, b: torch.Tensor, limit: float = 1e-10) -> bool:
    return float((a - b).detach().abs().max()) < limit


@pytest.mark.parametrize("chunk", [1, 7, 16, 37, 64])
def test_chunked_equals_the_naive_loop(chunk) -> None:
    *given, state = inputs()
    y, last = ssd(*given, state, chunk)
    expected, end = naive(*given, state)
    assert close(y, expected) and close(last, end)
    y, last = ssd(*given, None, chunk)
    expected, end = naive(*given, torch.zeros_like(state))
    assert close(y, expected) and close(last, end)


@pytest.mark.parametrize("cut", [1, 13, 36])
def test_split_with_carried_state_and_steps_agree(cut) -> None:
    *given, state = inputs()
    whole, end = ssd(*given, state, 16)
    first, middle = ssd(*(t[:, :cut] for t in given), state, 16)
    second, last = ssd(*(t[:, cut:] for t in given), middle, 16)
    assert close(torch.cat([first, second], 1), whole) and close(last, end)
    h, out = state, []
    for t in range(given[0].shape[1]):
        y, h = ssd_step(*(v[:, t] for v in given), h)
        out.append(y)
    assert close(torch.stack(out, 1), whole) and close(h, end)


def test_gradients_of_the_scan() -> None:
    given = [t.clone().requires_grad_() for t in inputs(length=9, batch=1, heads=2, inner=2, state=3)]
    assert torch.autograd.gradcheck(lambda *a: ssd(*a, chunk=4), given)
    assert torch.autograd.gradcheck(lambda *a: ssd(*a, chunk=9, skip=torch.ones(2))[0], given[:5])


def test_strong_decay_has_finite_gradients() -> None:
    x, step, decay, b, c, _ = (t.float().requires_grad_() for t in inputs())
    y, _ = ssd(x, step, decay * 1000, b, c, None, 16)
    y.sum().backward()
    assert all(t.grad is not None and bool(t.grad.isfinite().all()) for t in (x, step, decay, b, c))


def test_a_scan_step_by_step_split_and_whole() -> None:
    torch.manual_seed(0)
    scan = Scan(SIZES).double()
    xbc = torch.randn(2, 21, 26, generator=source(), dtype=torch.float64)
    raw = torch.randn(2, 21, 4, generator=source(1), dtype=torch.float64)
    x, bc = xbc.split([16, 10], -1)
    whole, end = scan(x, bc, raw)
    state, out = scan.start(2, xbc), []
    for t in range(21):
        y, state = scan.step(xbc[:, t], raw[:, t], state)
        out.append(y)
    assert close(torch.stack(out, 1), whole) and close(state.hidden, end.hidden) and close(state.recent, end.recent)
    first, middle = scan(x[:, :2], bc[:, :2], raw[:, :2])  # shorter than the convolution
    second, last = scan(x[:, 2:], bc[:, 2:], raw[:, 2:], state=middle)
    assert close(torch.cat([first, second], 1), whole) and close(last.hidden, end.hidden)
    assert close(last.recent, end.recent)


def test_reversed_is_the_same_from_the_other_end() -> None:
    torch.manual_seed(0)
    scan = Scan(SIZES).double()
    x, bc, raw = (torch.randn(2, 19, n, generator=source(n), dtype=torch.float64) for n in (16, 10, 4))
    assert close(scan.reverse(x, bc, raw), scan(x.flip(1), bc.flip(1), raw.flip(1))[0].flip(1))


@pytest.mark.parametrize("config", [SIZES, ONE_WAY])
def test_padding_is_neutral(config) -> None:
    torch.manual_seed(0)
    layer = StateSpace(config).double()
    x = torch.randn(1, 11, 12, generator=source(), dtype=torch.float64)
    alone, end = layer(x)
    padded = torch.cat([x, torch.randn(1, 6, 12, generator=source(1), dtype=torch.float64) * 50], 1)
    valid = torch.arange(17)[None] < 11
    y, last = layer(padded, valid)
    assert close(y[:, :11], alone) and close(last.hidden, end.hidden) and close(last.recent, end.recent)
    blocks, _ = layer(x, block=4)
    padded_blocks, _ = layer(padded, valid, block=4)
    assert close(padded_blocks[:, :11], blocks)


def test_blocks_are_what_streaming_computes() -> None:
    torch.manual_seed(0)
    layer = StateSpace(SIZES).double()
    x = torch.randn(2, 30, 12, generator=source(), dtype=torch.float64)
    whole, end = layer(x, block=8)
    state, out = None, []
    for at in range(0, 30, 8):
        y, state = layer(x[:, at : at + 8], state=state)
        out.append(y)
    assert close(torch.cat(out, 1), whole) and close(state.hidden, end.hidden)


def test_who_sees_whom() -> None:
    torch.manual_seed(0)
    layer = StateSpace(SIZES).double()
    x = torch.randn(1, 24, 12, generator=source(), dtype=torch.float64)
    changed = x.clone()
    changed[:, 12] += 1
    moved = (layer(x, block=8)[0] - layer(changed, block=8)[0]).abs().amax((0, 2)) > 1e-9
    assert moved.tolist() == [8 <= t for t in range(24)]  # its own block before it, and everything after
    one = StateSpace(ONE_WAY).double()
    moved = (one(x)[0] - one(changed)[0]).abs().amax((0, 2)) > 1e-9
    assert moved.tolist() == [12 <= t for t in range(24)]


def test_one_way_layer_steps() -> None:
    torch.manual_seed(0)
    layer = StateSpace(ONE_WAY).double()
    x = torch.randn(2, 9, 12, generator=source(), dtype=torch.float64)
    whole, _ = layer(x)
    state, out = layer.start(2, x), []
    for t in range(9):
        y, state = layer.step(x[:, t], state)
        out.append(y)
    assert close(torch.stack(out, 1), whole)
    with pytest.raises(InputError, match="scans backward"):
        StateSpace(SIZES).step(x[:, 0].float(), state)


def test_layer_gradients() -> None:
    torch.manual_seed(0)
    layer = StateSpace(SIZES).double()
    x = torch.randn(1, 7, 12, generator=source(), dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda t: layer(t, block=3)[0], (x,))
    layer(x, block=3)[0].square().sum().backward()
    for name, p in layer.named_parameters():
        assert p.grad is not None and bool(p.grad.isfinite().all()) and float(p.grad.abs().sum()) > 0, name


def test_gradients_of_every_parameter() -> None:
    """Also through the convolution's own backward: against differences, every number of every parameter."""
    torch.manual_seed(0)
    layer = StateSpace(StateSpaceConfig(width=3, inner=4, heads=2, state=2, conv=3, chunk=2)).double()
    x = torch.randn(2, 5, 3, generator=source(), dtype=torch.float64)
    valid = torch.tensor([[True] * 5, [True] * 4 + [False]])
    names, values = zip(*((n, p.detach().clone().requires_grad_()) for n, p in layer.named_parameters()), strict=True)

    def run(*given: torch.Tensor) -> torch.Tensor:
        y, state = torch.func.functional_call(layer, dict(zip(names, given, strict=True)), (x, valid, None, 3))
        return torch.cat([y.flatten(), state.hidden.flatten(), state.recent.flatten()])

    assert torch.autograd.gradcheck(run, values)


@pytest.mark.parametrize("config", [SIZES, ONE_WAY])
def test_without_gradients_it_is_the_same(config) -> None:
    """Generation takes another way through the convolution than training does."""
    torch.manual_seed(0)
    layer = StateSpace(config).double()
    x = torch.randn(2, 30, 12, generator=source(), dtype=torch.float64)
    valid = torch.arange(30)[None] < torch.tensor([[30], [26]])
    with torch.no_grad():
        before = layer(x[:, :8])[1]
        for given, block in ((None, None), (before, None), (before, 8)):
            quick, end = layer(x, valid, given, block)
            with torch.enable_grad():
                slow, other = layer(x, valid, given, block)
            assert slow.requires_grad and close(quick, slow)
            assert close(end.hidden, other.hidden) and close(end.recent, other.recent)


def test_float32_stays_near_float64() -> None:
    torch.manual_seed(0)
    layer = StateSpace(SIZES)
    x = torch.randn(1, 512, 12, generator=source())
    assert close(layer(x, block=32)[0].double(), layer.double()(x.double(), block=32)[0], 1e-4)


def test_wrong_shapes_and_sizes() -> None:
    x, step, decay, b, c, state = inputs()
    with pytest.raises(ShapeError, match="expected"):
        ssd(x, step, decay[:, :-1], b, c)
    with pytest.raises(ShapeError, match="of this layer"):
        ssd(x, step, decay, b, c, state[:, :1])
    with pytest.raises(ShapeError):
        ssd(x[:, :0], step[:, :0], decay[:, :0], b[:, :0], c[:, :0])
    with pytest.raises(InputError, match="multiple of heads"):
        StateSpaceConfig(inner=10, heads=4)
