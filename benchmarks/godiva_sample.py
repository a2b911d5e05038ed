"""What a video costs: cached against naive sampling, batches, axial against dense attention, bf16 against fp32.

    python benchmarks/godiva_sample.py [--model RUN] [--quick]

Goals, at the `small` size of 2,560 tokens with random weights: caching >= 40 times at batch 1 (naive sampling is
extrapolated from its first 64 tokens: each runs the whole video through the network), batch 16 >= 3 times cheaper per
video than batch 1, a training step with axial attention >= 1.8 times faster than with dense attention; a video of the
shipped model in < 20 s of CPU. Everything is CPU time of the process. The cost of a layer over sizes is shown too.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from report import goal, parser, run, table


def seconds(work: Callable[[], Any], times: int = 3) -> float:
    """The least CPU time of a few runs."""
    best = float("inf")
    for _ in range(times):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def decoder(**changes: Any) -> Any:
    """A `small` decoder with random weights and a few words."""
    import torch

    from laban.systems.godiva.config import SMALL
    from laban.systems.godiva.decoder import Decoder

    torch.manual_seed(0)
    words = tuple(f"word{n}" for n in range(20))
    config = replace(SMALL, text=replace(SMALL.text, words=words), decoder=replace(SMALL.decoder, **changes))
    made = Decoder(config)
    made.take(torch.randn(config.coder.codes, config.coder.code_width))
    return made


def told(batch: int) -> tuple[Any, Any]:
    """A caption of 15 words and <start>."""
    import torch

    words = torch.arange(1, 17).repeat(batch, 1)
    return words, torch.ones_like(words, dtype=torch.bool)


def sampling(quick: bool) -> tuple[dict[str, float], list[tuple[str, bool]]]:
    """Cached and naive, batch 1 and 16."""
    from laban.nn.sampling import generators
    from laban.systems.godiva import sampling as drawn

    network = decoder().eval()
    stop = 640 if quick else None
    part = 2560 / (stop or 2560)
    figures: dict[str, float] = {}
    first = generators(0, 1)
    naive = seconds(lambda: drawn.sample_naive(network, *told(1), first, 10, 1.0, stop=8 if quick else 64), 1)
    figures["naive_s"] = naive * 2560 / (8 if quick else 64)
    for batch in (1, 16):
        sources = generators(0, batch)
        whole = seconds(lambda b=batch, s=sources: drawn.sample(network, *told(b), s, 10, 1.0, stop=stop), 1)  # type: ignore[misc]
        figures[f"cached_s_batch_{batch}"] = whole * part / batch
    print(
        f"2,560 tokens, per video: naive {figures['naive_s']:.0f} s (from its first {8 if quick else 64}), cached "
        f"{figures['cached_s_batch_1']:.1f} s, cached at batch 16 {figures['cached_s_batch_16']:.2f} s"
        + (f" (cached from the first {stop} tokens)" if stop else "")
    )
    return figures, [
        goal("caching, batch 1", figures["naive_s"] / figures["cached_s_batch_1"], 40, "x", at_least=True),
        goal("batch 16, per video", figures["cached_s_batch_1"] / figures["cached_s_batch_16"], 3, "x", at_least=True),
    ]


class Dense:
    """The same decoder with full causal attention in place of the axes: what sparse attention is compared with."""

    @staticmethod
    def layer(self: Any, x: Any, tokens: Any, words: Any, valid: Any) -> Any:
        """AxisLayer.forward over all earlier tokens, by torch's fused attention; every word of the batch is valid."""
        import torch
        import torch.nn.functional as F

        b, *grid, d = x.shape
        q = self._split(self.query(self.norm_query(x))).flatten(1, 3).transpose(1, 2)
        k, v = (t.flatten(1, 3).transpose(1, 2) for t in self.keys(x if tokens is None else x + tokens))
        text = self.text(words, valid)
        k, v = torch.cat([text.keys, k], 2), torch.cat([text.values, v], 2)
        n, m = words.shape[1], q.shape[2]
        mask = torch.ones(m, n + m, dtype=torch.bool).tril(n - 1)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.finish(x, y.transpose(1, 2).reshape(b, *grid, d))


def training(quick: bool) -> tuple[dict[str, float], list[tuple[str, bool]]]:
    """A training step, axial and dense, fp32 and bf16, and the peak of memory of each."""
    import torch

    from laban.nn.sparse3d import AxisLayer

    batch = 1 if quick else 4
    codes = torch.randint(0, 256, (batch, 10, 16, 16), generator=torch.Generator().manual_seed(0))
    axial = AxisLayer.forward
    figures: dict[str, float] = {}
    rows = []
    for name, forward, bf16 in (("axial", axial, False), ("axial", axial, True), ("dense", Dense.layer, False)):
        network = decoder()
        optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4)

        def step(network: Any = network, optimizer: Any = optimizer, bf16: bool = bf16) -> float:
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                loss = network.nll(codes, *told(batch)).mean()
            loss.backward()
            optimizer.step()
            return float(loss.detach())

        AxisLayer.forward = forward  # type: ignore[method-assign]
        try:
            loss = step()
            taken = seconds(step, 1 if quick else 2)
            held = saved_bytes(lambda n=network: n.nll(codes, *told(batch)).mean()) / 1e6  # type: ignore[misc]
        finally:
            AxisLayer.forward = axial  # type: ignore[method-assign]
        kind = f"{name} {'bf16' if bf16 else 'fp32'}"
        figures[kind] = taken
        rows.append([kind, f"{taken:.2f}", f"{held:.0f}" if not bf16 else "-", f"{loss:.4f}"])
    print(f"a training step of the small decoder, {batch} videos of 2,560 tokens")
    print(table(("attention", "CPU s", "kept MB", "first loss"), rows))
    print(f"bf16 against fp32, axial: {figures['axial fp32'] / figures['axial bf16']:.2f} times as fast")
    print(f"peak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB")
    return figures, [
        goal("axial against dense, step", figures["dense fp32"] / figures["axial fp32"], 1.8, "x", at_least=True)
    ]


def saved_bytes(work: Callable[[], Any]) -> float:
    """Bytes that autograd keeps of a forward pass, parameters apart, each storage once."""
    import torch

    seen: dict[int, int] = {}

    def note(tensor: Any) -> Any:
        seen[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda t: t):
        work()
    return float(sum(seen.values()))


def scaling() -> dict[str, Any]:
    """CPU time of one T, one R and one C layer over sizes, beside L h w (L + h + w)."""
    import torch

    from laban.nn.sparse3d import AxisLayer
    from laban.nn.sparse3d import attend as attention

    layers = [AxisLayer(128, 4, 4, axis, "before").eval() for axis in ("T", "R", "C")]  # type: ignore[arg-type]
    rows, counts, times = [], [], []
    for grid in ((4, 8, 8), (10, 8, 8), (10, 16, 16), (16, 16, 16), (10, 32, 32), (32, 32, 32), (16, 64, 64)):
        tokens, axes = int(np.prod(grid)), sum(grid)
        line = [torch.randn(1, 4, tokens // n, n, 32) for n in grid]
        text = layers[0].text(torch.randn(1, 1, 128), torch.ones(1, 1, dtype=torch.bool))

        def work(line: list[Any] = line, text: Any = text) -> None:
            with torch.no_grad():
                for x in line:
                    attention(x, x, x, text, None)

        work()
        taken = seconds(work, 5)
        counts.append(tokens * axes)
        times.append(taken)
        rows.append(
            [
                "x".join(map(str, grid)),
                tokens,
                tokens * axes,
                f"{1e3 * taken:.2f}",
                f"{1e9 * taken / tokens / axes:.2f}",
            ]
        )
    slope = float(np.polyfit(np.log(counts), np.log(times), 1)[0])
    print("attention along the three axes")
    print(table(("L x h x w", "tokens", "L h w (L+h+w)", "CPU ms", "ns per pair"), rows))
    print(f"time grows as (L h w (L + h + w)) ** {slope:.2f}; dense attention's pairs grow as (L h w) ** 2")
    return {"pairs": counts, "seconds": times, "exponent": slope}


def shipped(model: str) -> tuple[dict[str, float], list[tuple[str, bool]]]:
    """A video of trained weights, after load."""
    import laban
    from laban.systems.requests import TextRequest

    system: Any = laban.load(model)
    request = [TextRequest("digit 3 is moving up then down")]
    system.generate(request, seed=0)
    taken = seconds(lambda: system.generate(request, seed=1), 2)
    print(f"a video of {system.config.tokens} tokens, {model}: {taken:.2f} s of CPU")
    return {"video_s": taken}, [goal("a video of the shipped model", taken, 20, " s")]


def main() -> tuple[dict[str, Any], bool, argparse.Namespace]:
    made = parser("time and memory of GODIVA")
    made.add_argument("--model", default="none", help="also time a video of trained weights: a name or a folder")
    made.add_argument("--quick", action="store_true", help="fewer tokens and videos; says what is extrapolated")
    options = made.parse_args()
    figures: dict[str, Any] = {"scaling": scaling()}
    checks: list[tuple[str, bool]] = []
    for name, (found, goals) in (("sampling", sampling(options.quick)), ("training", training(options.quick))):
        figures[name] = found
        checks += goals
    if options.model != "none":
        figures["shipped"], goals = shipped(options.model)
        checks += goals
    print("\n".join(line for line, _ in checks))
    return figures, all(ok for _, ok in checks), options


if __name__ == "__main__":
    run(main)
