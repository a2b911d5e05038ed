import pytest
import torch

from laban.nn.config import TokenizerConfig
from laban.nn.quantize import Codebook, ResidualQuantizer
from laban.nn.tokenizer import Tokenizer

CONFIG = TokenizerConfig(feature_width=20, width=16, code_width=8, codes=16, quantizers=4, depth=2, dropout=0.0)


def config(**changes) -> TokenizerConfig:
    return TokenizerConfig(**{**vars(CONFIG), **changes})


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def trained(c: TokenizerConfig) -> ResidualQuantizer:
    module = ResidualQuantizer(c)
    for i in range(5):
        module(torch.randn(8, 10, 8, generator=seeded(i)), seeded(i))
    return module


@pytest.mark.parametrize(("gradient", "expected"), [("single", 1.0), ("compat", 4.0)])
def test_gradient_passes_straight_through(gradient, expected) -> None:
    module = trained(config(gradient=gradient, quantize_dropout=0.0))
    x = torch.randn(2, 5, 8, generator=seeded(), requires_grad=True)
    module(x, seeded()).latents.sum().backward()
    assert torch.allclose(x.grad, torch.full_like(x, expected), atol=1e-5)


def test_evaluation_takes_the_nearest_code_of_each_residual() -> None:
    module = trained(CONFIG).eval()
    x = torch.randn(2, 5, 8, generator=seeded())
    found = module(x)
    rest = x.clone()
    for q, book in enumerate(module.layers):
        nearest = torch.cdist(rest.reshape(-1, 8), book.codes).argmin(-1).reshape(2, 5)
        assert torch.equal(found.codes[..., q], nearest)
        rest = rest - book.codes[nearest]
    assert torch.allclose(found.latents, x - rest, atol=1e-6)
    assert torch.allclose(module.decode(found.codes), x - rest, atol=1e-6)
    assert torch.equal(module.decode(torch.full((1, 3, 4), -1)), torch.zeros(1, 3, 8))


def test_a_rate_prefers_the_frequent_one_of_close_codes() -> None:
    book = Codebook(config(codes=3, rate=0.02, sample_temperature=0.0))
    book.codes.zero_()
    book.codes[:, 0] = torch.tensor([1.0, 1.1, -4.0])
    book.code_count.copy_(torch.tensor([90.0, 1.0, 9.0]))
    x = torch.zeros(4, 8)
    x[:, 0] = torch.tensor([1.1, 1.5, -3.0, -1.505])
    share = book.code_count / 100
    spread = (share * (book.codes[:, 0] - (share * book.codes[:, 0]).sum()) ** 2).sum()
    by_hand = (x[:, :1] - book.codes[:, 0]) ** 2 - 0.02 * spread * share.log()
    assert torch.allclose(book.costs(x), by_hand, atol=1e-5)
    assert book.nearest(x).tolist() == [0, 0, 2, 0]  # the last one lies nearer to -4, which is rarer
    assert torch.equal(book.draw(x, None), book.nearest(x))
    plain = Codebook(config(codes=3, rate=0.0))
    plain.load_state_dict(book.state_dict())
    assert plain.nearest(x).tolist() == [1, 1, 2, 2]


def test_moving_average_and_reset() -> None:
    c = config(codes=3, decay=0.9, reset_below=1.0)
    book = Codebook(c)
    first = torch.randn(6, 8, generator=seeded())
    book.start(first, seeded())
    assert torch.equal(book.codes, first[:3])
    x = torch.randn(6, 8, generator=seeded(1))
    index = torch.tensor([0, 0, 0, 1, 1, 0])
    before = book.code_sum.clone()
    book.update(x, index, seeded())
    count = 0.9 + 0.1 * torch.tensor([4.0, 2.0, 0.0])
    assert torch.allclose(book.code_count, count)
    total = 0.9 * before + 0.1 * torch.stack([x[index == 0].sum(0), x[index == 1].sum(0), torch.zeros(8)])
    assert torch.allclose(book.codes[:2], total[:2] / count[:2, None], atol=1e-6)
    assert torch.equal(book.codes[2], x[2])  # unused: row 2 of the batch


def test_reset_can_restart_the_statistics() -> None:
    book = Codebook(config(codes=3, decay=0.5, reset_restarts=True))
    book.start(torch.randn(6, 8, generator=seeded()), seeded())
    x = torch.randn(6, 8, generator=seeded(1))
    book.update(x, torch.zeros(6, dtype=torch.int64), seeded())
    assert torch.equal(book.code_count[1:], torch.ones(2))
    assert all((x == row).all(-1).any() for row in book.codes[1:])
    assert torch.equal(book.code_sum[1:], book.codes[1:])


def test_codes_are_drawn_with_the_softmax_of_distances() -> None:
    book = Codebook(config(codes=4, sample_temperature=0.5))
    book.codes.copy_(torch.randn(4, 8, generator=seeded()) * 0.3)
    x = torch.randn(1, 8, generator=seeded(2)) * 0.3
    drawn = book.draw(x.expand(20000, -1), seeded(3))
    wanted = (-book.distances(x)[0] / 0.5).softmax(-1)
    assert torch.allclose(torch.bincount(drawn, minlength=4) / 20000, wanted, atol=0.015)
    assert torch.equal(drawn, book.draw(x.expand(20000, -1), seeded(3)))


def test_quantize_dropout_keeps_leading_layers() -> None:
    module = trained(config(quantize_dropout=1.0))
    seen = set()
    for i in range(60):
        codes = module(torch.randn(1, 4, 8, generator=seeded(i)), seeded(i)).codes
        active = (codes >= 0).all(0).all(0)
        assert torch.equal(active.cumprod(0).bool(), active) and torch.equal((codes >= 0).any(0).any(0), active)
        seen.add(int(active.sum()))
    assert seen == {1, 2, 3, 4}


def test_autocast_leaves_codes_and_codebooks_in_float32() -> None:
    x = torch.randn(8, 10, 8, generator=seeded(9))
    plain, cast = trained(CONFIG), trained(CONFIG)
    one = plain(x, seeded(9))
    with torch.autocast("cpu", torch.bfloat16):
        two = cast(x, seeded(9))
    assert torch.equal(one.codes, two.codes) and torch.equal(one.latents, two.latents)
    for name, value in plain.state_dict().items():
        assert torch.equal(value, cast.state_dict()[name]), name


def test_saved_state_resumes_bit_for_bit() -> None:
    def step(module: Tokenizer, i: int) -> None:
        out = module(torch.randn(4, 16, 20, generator=seeded(i)), seeded(i))
        (out.motion.square().mean() + out.commit).backward()
        with torch.no_grad():
            for p in module.parameters():
                p -= 0.1 * p.grad
                p.grad = None

    torch.manual_seed(0)
    one, two = Tokenizer(CONFIG), Tokenizer(CONFIG)
    for i in range(3):
        step(one, i)
    two.load_state_dict(one.state_dict())
    for i in range(3, 6):
        step(one, i)
        step(two, i)
    for name, value in one.state_dict().items():
        assert torch.equal(value, two.state_dict()[name]), name
