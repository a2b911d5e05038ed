"""Sparse attention: what a token sees is exactly the definition; caches change nothing; cost grows with L + h + w."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn

from laban.nn import chunked, sparse3d
from laban.nn.sparse3d import AxisLayer, attend, visible
from laban.systems.godiva import streams
from laban.systems.godiva.config import DecoderConfig
from laban.systems.godiva.sampling import places
from laban.systems.godiva.streams import FullStream, GodivaStream, Grid

GRID: Grid = (3, 3, 4)
WIDTH = 16


def stream(mask: str, layers: int = 6, axes: tuple[str, ...] = ("T", "R", "C"), seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    config = DecoderConfig(width=WIDTH, heads=2, layers=layers, feedforward=2, axes=axes, mask=mask)  # type: ignore[arg-type]
    made: nn.Module = (GodivaStream if mask == "godiva" else FullStream)(config, GRID)
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.4)
    return made.double().eval()


def inputs(batch: int = 1, seed: int = 1, grid: Grid = GRID) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    torch.manual_seed(seed)
    start = torch.randn(*grid, WIDTH, dtype=torch.float64)
    tokens = torch.randn(batch, *grid, WIDTH, dtype=torch.float64)
    words = torch.randn(batch, 5, WIDTH, dtype=torch.float64)
    valid = torch.ones(batch, 5, dtype=torch.bool)
    if batch > 1:
        valid[1, 3:] = False
    return start, tokens, words, valid


def seen(network: nn.Module, grid: Grid = GRID) -> dict[Grid, set[Grid]]:
    """For every place the places whose token changes its output: found by changing one token at a time."""
    start, tokens, words, valid = inputs(grid=grid)
    every = list(places(grid))
    changed = tokens.expand(len(every), *tokens.shape[1:]).clone()
    for n, place in enumerate(every):
        changed[(n, *place)] += torch.randn(WIDTH, dtype=torch.float64)
    with torch.no_grad():
        before = network(start, tokens, words, valid)
        after = network(start, changed, words.expand(len(every), -1, -1), valid.expand(len(every), -1))
    differs = (after - before).abs().amax(-1) > 1e-12
    return {place: {every[n] for n in range(len(every)) if differs[(n, *place)]} for place in every}


def by_definition(mask: str) -> dict[Grid, set[Grid]]:
    """godiva: Eq. 11, no coordinate later, the place itself apart. axial_full: all that comes before it."""
    every = list(places(GRID))
    if mask == "axial_full":
        return {place: set(every[:n]) for n, place in enumerate(every)}
    return {p: {q for q in every if q != p and all(a <= b for a, b in zip(q, p, strict=True))} for p in every}


def visible_sets(mask: str) -> dict[Grid, set[Grid]]:
    return seen(stream(mask))


def causal(mask: str) -> bool:
    """Whether no token changes the output at its own place or before it."""
    order = {place: n for n, place in enumerate(places(GRID))}
    return all(order[q] < order[p] for p, qs in visible_sets(mask).items() for q in qs)


@pytest.mark.parametrize("mask", ["godiva", "axial_full"])
def test_no_token_changes_what_is_predicted_at_or_before_it(mask: str) -> None:
    assert causal(mask)


@pytest.mark.parametrize("mask", ["godiva", "axial_full"])
def test_every_place_sees_exactly_its_definition(mask: str) -> None:
    assert visible_sets(mask) == by_definition(mask)


@pytest.mark.parametrize(("axis", "coordinate"), [("T", 0), ("R", 2), ("C", 1)])
def test_one_layer_sees_its_axis_strictly_before(axis: str, coordinate: int) -> None:
    found = seen(stream("godiva", layers=1, axes=(axis,)))
    for p, qs in found.items():
        line = [q for q in places(GRID) if all(q[k] == p[k] for k in range(3) if k != coordinate)]
        assert qs == {q for q in line if q[coordinate] < p[coordinate]}


def test_figure_2() -> None:
    """Tokens 1 to 8 of two frames of 2 x 2: token 8 attends to 4 (time), 7 (row) and 6 (column)."""
    number = {place: n for n, place in enumerate(places((2, 2, 2)), start=1)}
    attended = {}
    for axis in "TRC":
        found = seen(stream("godiva", layers=1, axes=(axis,)), (2, 2, 2))
        attended[axis] = {number[q] for q in found[1, 1, 1]}
    assert attended == {"T": {4}, "R": {7}, "C": {6}}


def test_the_faithful_mask_hides_two_thirds() -> None:
    grid = (10, 16, 16)
    shares = [((t + 1) * (i + 1) * (j + 1) - 1) / n for n, (t, i, j) in enumerate(places(grid)) if n]
    assert sum(shares) / len(shares) == pytest.approx(0.333, abs=0.002)


@pytest.mark.parametrize("mask", ["godiva", "axial_full"])
def test_causality_fails_when_one_mask_is_shifted_to_see_itself(mask: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def shifted(length: int, reach: str, device: object = "cpu") -> Tensor:
        return visible(length, "upto" if reach == "before" else reach)  # type: ignore[arg-type]

    monkeypatch.setattr(sparse3d, "visible", shifted)
    assert not causal(mask)


@pytest.mark.parametrize("mask", ["godiva", "axial_full"])
def test_enumeration_fails_when_one_mask_is_shifted_back(mask: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def shifted(length: int, reach: str, device: object = "cpu") -> Tensor:
        if reach == "before":
            return torch.ones(length, length, dtype=torch.bool).tril(-2)
        return visible(length, reach)  # type: ignore[arg-type]

    monkeypatch.setattr(sparse3d, "visible", shifted)
    assert causal(mask)
    assert visible_sets(mask) != by_definition(mask)


@pytest.mark.parametrize("axis", [1, 2])
def test_causality_fails_when_an_outer_stream_is_not_shifted(axis: int, monkeypatch: pytest.MonkeyPatch) -> None:
    shift = streams.shifted
    monkeypatch.setattr(streams, "shifted", lambda x, a, first: x if a == axis else shift(x, a, first))
    assert not causal("axial_full")


def stepped(network: nn.Module, start: Tensor, tokens: Tensor, words: Tensor, valid: Tensor) -> Tensor:
    steps = network.begin(start, words, valid)
    out = torch.zeros_like(tokens)
    for place in places(GRID):
        out[(slice(None), *place)] = steps.hidden(place)
        steps.put(place, tokens[(slice(None), *place)])
    return out


@pytest.mark.parametrize("mask", ["godiva", "axial_full"])
@pytest.mark.parametrize("layers", [6, 12])
def test_caches_equal_full_recomputation(mask: str, layers: int) -> None:
    start, tokens, words, valid = inputs(batch=2)
    network = stream(mask, layers)
    with torch.no_grad():
        whole = network(start, tokens, words, valid)
        torch.testing.assert_close(stepped(network, start, tokens, words, valid), whole, rtol=0, atol=1e-9)
        network, single = network.float(), [t.float() if t.is_floating_point() else t for t in (start, tokens, words)]
        whole = network(*single, valid)
        assert (stepped(network, *single, valid) - whole).abs().max() < 1e-5 * max(1.0, float(whole.abs().max()))


def test_cache_equality_fails_when_one_mask_is_shifted(monkeypatch: pytest.MonkeyPatch) -> None:
    start, tokens, words, valid = inputs(batch=2)
    network = stream("godiva")
    true = visible
    monkeypatch.setattr(sparse3d, "visible", lambda n, reach, device="cpu": true(n, "upto"))
    with torch.no_grad():
        whole = network(start, tokens, words, valid)
        assert (stepped(network, start, tokens, words, valid) - whole).abs().max() > 1e-3


def test_hidden_words_do_not_matter_and_others_do() -> None:
    for mask in ("godiva", "axial_full"):
        start, tokens, words, valid = inputs(batch=2)
        network = stream(mask)
        with torch.no_grad():
            before = network(start, tokens, words, valid)
            words[1, 3:] += 1.0
            assert torch.equal(network(start, tokens, words, valid), before)
            words[1, 2] += torch.randn(WIDTH, dtype=torch.float64)
            after = network(start, tokens, words, valid)
        assert torch.equal(after[0], before[0])
        assert ((after - before)[1].abs().amax(-1) > 1e-9).all()  # every place, the very first one too


def test_one_softmax_over_words_and_axis() -> None:
    torch.manual_seed(0)
    layer = AxisLayer(8, 2, 2, "R", "before")
    q, k, v = torch.randn(3, 1, 2, 1, 4, 4).unbind(0)
    text = layer.text(torch.randn(1, 3, 8), torch.tensor([[True, True, False]]))
    got = attend(q, k, v, text, visible(4, "before"))
    for h, s in itertools.product(range(2), range(4)):
        keys = torch.cat([text.keys[0, h, :2], k[0, h, 0, :s]])
        values = torch.cat([text.values[0, h, :2], v[0, h, 0, :s]])
        weights = torch.softmax(keys @ q[0, h, 0, s] / 2.0, 0)
        torch.testing.assert_close(got[0, h, 0, s], weights @ values)


def test_multiplications_grow_as_tokens_times_l_plus_h_plus_w() -> None:
    """Counted by torch for the three axes' attention products alone, words apart."""
    from torch.utils.flop_counter import FlopCounterMode

    def flops(grid: Grid, words: int) -> int:
        x = torch.zeros(1, *grid, WIDTH)
        layers = [AxisLayer(WIDTH, 2, 2, axis, "before") for axis in ("T", "R", "C")]  # type: ignore[arg-type]
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            for layer in layers:
                layer(x, None, torch.zeros(1, words, WIDTH), torch.ones(1, words, dtype=torch.bool))
        counts = counter.get_flop_counts()["Global"]
        return sum(n for op, n in counts.items() if "bmm" in str(op))

    for grid in ((2, 3, 4), (10, 8, 8), (10, 16, 16), (4, 32, 8)):
        frames, height, width = grid
        tokens = frames * height * width
        expected = 4 * tokens * WIDTH * (frames + height + width + 3 * 5)  # two products of two flops each
        assert flops(grid, 5) == expected


def test_chunked_cross_entropy_is_the_whole_one() -> None:
    torch.manual_seed(0)
    head = nn.Linear(6, 40)
    target = torch.randint(0, 40, (23,))
    found = []
    for chunk in (5, 100):
        hidden = torch.randn(23, 6, generator=torch.Generator().manual_seed(1)).requires_grad_()
        head.zero_grad()
        losses = chunked.cross_entropy(hidden, head, target, chunk)
        assert losses.shape == (23,)
        losses.mean().backward()
        assert hidden.grad is not None and head.weight.grad is not None
        found.append((losses.detach(), hidden.grad, head.weight.grad.clone()))
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b)
