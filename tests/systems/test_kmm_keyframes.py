"""KMM's key frames and masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from laban.errors import InputError, ShapeError
from laban.systems.kmm import masks
from laban.systems.kmm.keyframes import choose, density_peaks

GOLDEN = Path(__file__).parents[3] / "shared" / "golden" / "kmm" / "keyframes.npz"


def smooth_latents(seed: int = 0, n: int = 49) -> torch.Tensor:
    """Hold, move, hold."""
    g = torch.Generator().manual_seed(seed)
    a, b = torch.randn(2, 64, generator=g)
    t = torch.linspace(-6, 6, n).sigmoid()[:, None]
    return a + (b - a) * t + 0.01 * torch.randn(n, 64, generator=g)


@pytest.mark.skipif(not GOLDEN.exists(), reason="needs the project's own data, ../shared/golden")
def test_compat_is_the_papers_formula() -> None:
    wanted = np.load(GOLDEN)
    got = density_peaks(torch.from_numpy(wanted["latents"]), "compat")
    for name, value in (
        ("distance", got.distance), ("density", got.density),
        ("distance_to_higher_density", got.separation), ("score", got.score),
    ):  # fmt: skip
        np.testing.assert_allclose(value.numpy(), wanted[name], rtol=1e-9, atol=1e-9, err_msg=name)
    assert bool((choose(got.score, 1) == (got.score == got.score.max())).all())


def test_compat_by_a_plain_loop() -> None:
    x = smooth_latents(n=12).double() * 0.2
    got = density_peaks(x, "compat")
    for i in range(12):
        distances = [float((x[i] - x[j]).norm()) for j in range(12)]
        assert abs(float(got.density[i]) - sum(np.exp(-d * d) for d in distances)) < 1e-9
        higher = [distances[j] for j in range(12) if got.density[j] > got.density[i]]
        assert abs(float(got.separation[i]) - min(higher)) < 1e-9 if higher else got.separation[i] == float("inf")


def test_what_the_formula_fails_at_is_mended() -> None:
    noise = torch.randn(49, 512, generator=torch.Generator().manual_seed(0))
    paper, ours = density_peaks(noise, "compat"), density_peaks(noise)
    assert int(paper.score.isinf().sum()) > 5 and float(paper.density.std()) < 1e-4  # chosen by nothing
    assert bool(ours.score.isfinite().all()) and float(ours.density.std()) > 0.01
    scaled = density_peaks(noise * 0.03).score
    torch.testing.assert_close(scaled, ours.score, rtol=1e-3, atol=1e-3)  # the unit of the latents does not matter
    held = torch.cat([noise[:1].expand(25, -1), noise[1:25]])
    copies = density_peaks(held, "compat").score[:25]
    assert bool(copies.isinf().all())  # every copy of the held pose
    assert int(choose(density_peaks(held).score, 15)[:25].sum()) == 1


def test_key_frames_of_hold_move_hold_are_in_the_movement() -> None:
    latents = smooth_latents()
    speed = (latents[1:] - latents[:-1]).norm(dim=-1)
    fast = torch.nonzero(speed > 0.3 * speed.max())[:, 0]
    top = torch.nonzero(choose(density_peaks(latents).score, 6))[:, 0]
    assert sum(int((t >= fast.min() - 3) & (t <= fast.max() + 3)) for t in top) >= 4


def test_key_frames_of_bad_latents() -> None:
    with pytest.raises(ShapeError):
        density_peaks(torch.zeros(0, 4))
    with pytest.raises(InputError, match="how"):
        density_peaks(torch.zeros(3, 4), "other")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="NaN"):
        density_peaks(torch.full((3, 4), float("nan")))
    assert bool(density_peaks(torch.zeros(5, 4)).score.isfinite().all())
    assert density_peaks(torch.zeros(1, 4)).score.shape == (1,)


# Masks


@pytest.mark.parametrize("kind", masks.KINDS)
def test_every_mask_hides_as_many_as_asked(kind) -> None:
    g = torch.Generator().manual_seed(0)
    count = torch.tensor([1, 5, 16, 9])
    score, speed = torch.rand(2, 4, 16, generator=g)
    codes = torch.randint(0, 3, (4, 16), generator=g)
    hidden = masks.mask(kind, count, score, speed, codes, g)
    assert hidden.sum(-1).tolist() == count.tolist()
    if kind == "keyframe":
        assert bool(score[1][hidden[1]].min() >= score[1][~hidden[1]].max())
    if kind == "inverse":
        assert bool(score[1][hidden[1]].max() <= score[1][~hidden[1]].min())
    if kind == "speed":
        assert bool(speed[1][hidden[1]].min() >= speed[1][~hidden[1]].max())
    if kind == "matched":
        named = masks.mask("keyframe", count, score, speed, codes, g)
        for mine, theirs in zip(hidden, named, strict=True):
            assert sorted(masks.runs(mine)) == sorted(masks.runs(theirs))


def test_matched_masks_go_everywhere() -> None:
    row = torch.zeros(1, 20, dtype=torch.bool)
    row[0, 3:7], row[0, 11:13] = True, True
    g = torch.Generator().manual_seed(0)
    seen = torch.zeros(20)
    for _ in range(200):
        seen += masks.matched(row, torch.arange(20)[None], g)[0]
    assert float(seen.min()) > 5


def test_counts_and_unknown_masks() -> None:
    g = torch.Generator().manual_seed(0)
    assert masks.counts(3, 20, 0.3, g, torch.device("cpu")).tolist() == [6, 6, 6]
    free = masks.counts(2000, 20, None, g, torch.device("cpu"))
    assert int(free.min()) == 1 and int(free.max()) == 20 and 11 < float(free.float().mean()) < 14.5
    with pytest.raises(InputError, match="unknown mask"):
        masks.mask("best", torch.ones(1), *torch.rand(3, 1, 4), None)  # type: ignore[arg-type]
