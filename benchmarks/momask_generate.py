"""MoMask's preset `paper` against a plain implementation of the released algorithm, outputs equal.

    python benchmarks/momask_generate.py [--rounds 3] [--warm 1] [--only fp32 bf16 bvh training]

Random weights, the same in both; 10 steps, guidance 4 and 5, up to 196 frames; the same noise, so the tokens must be
equal, and are compared. One thread; times are CPU seconds of the process, the two sides taking turns, least of the
rounds (after one round that is not counted). The baseline is benchmarks/baselines: two forwards per step, padding to
the longest, the head everywhere, torch's nn.TransformerEncoder (enable_nested_tensor=False), eval mode.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from report import goal, parser, run, table

STEPS, GUIDANCE, UPPER = 10, 4.0, 5.0
LONGEST = 49


def cpu(call: Callable[[], Any]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


def paired(baseline: Callable[[], Any], ours: Callable[[], Any], rounds: int, warm: int = 1) -> tuple[float, float]:
    """Least CPU seconds of each, taking turns; the first `warm` rounds are not counted."""
    times = [(cpu(baseline), cpu(ours)) for _ in range(rounds + warm)][warm:]
    return min(a for a, _ in times), min(b for _, b in times)


class Pair:
    """The same random weights in the baseline and in Laban."""

    def __init__(self) -> None:
        from baselines.momask import Baseline, Sizes

        from laban.systems.momask.config import PAPER
        from laban.systems.momask.released.names import STATISTICS, to_ours
        from laban.systems.momask.system import MoMask

        self.plain = Baseline.random(Sizes(), 0)
        self.system = MoMask(PAPER, {"mean": np.zeros(263, np.float32), "std": np.ones(263, np.float32)}).eval()
        for stage, part in (("tokenizer", "vq"), ("masked", "masked"), ("residual", "residual"), ("length", "length")):
            state = dict(getattr(self.plain, part).state_dict())
            state.pop("position_enc.pe", None)
            missing, left = self.system.module(stage).load_state_dict(to_ours(stage, state, PAPER), strict=False)
            assert not left and all(name.endswith(STATISTICS) for name in missing), (stage, missing, left)

    def baseline(self, text: torch.Tensor, lengths: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
        from laban.nn.sampling import batch_gumbel, generators

        sources = generators(0, len(lengths))
        return self.plain.generate(
            text, lengths, STEPS, GUIDANCE, UPPER, lambda n, k: batch_gumbel(lengths, k, sources, "cpu")
        )

    @torch.no_grad()
    def ours(
        self, text: torch.Tensor, lengths: list[int], bf16: bool = False
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        from laban.nn.sampling import generators
        from laban.systems.momask import sampling
        from laban.systems.momask.condition import Condition

        system, told, sources = self.system, Condition(text), generators(0, len(lengths))
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            options = sampling.SamplingOptions(GUIDANCE)
            codes = sampling.sample_base(system.masked, told, lengths, sources, STEPS, options)
            options = sampling.SamplingOptions(UPPER)
            codes = sampling.sample_residual(system.residual, codes, told, lengths, sources, options, pad_class=True)
        return codes, sampling.decode_ragged(system.tokenizer, codes, lengths)


def cases() -> list[tuple[str, list[int], float]]:
    mixed = np.random.default_rng(0).integers(6, LONGEST + 1, 16).tolist()
    return [
        ("batch 1, 196 frames", [LONGEST], 1.6),
        ("batch 16, 196 frames each", [LONGEST] * 16, 1.6),
        ("batch 16, 24 to 196 frames", mixed, 2.5),
    ]


def precision(
    pair: Pair, rounds: int, warm: int, bf16: bool
) -> tuple[list[list[str]], list[str], bool, dict[str, Any]]:
    rows, lines, figures, ok = [], [], {}, True
    for name, lengths, least in cases():
        if bf16 and (len(lengths) == 1 or len(set(lengths)) > 1):
            continue
        text = torch.randn(len(lengths), 512, generator=torch.Generator().manual_seed(1))
        outputs: dict[str, Any] = {}

        def baseline(text: torch.Tensor = text, lengths: list[int] = lengths, to: dict[str, Any] = outputs) -> None:
            to["baseline"] = pair.baseline(text, lengths)

        def ours(text: torch.Tensor = text, lengths: list[int] = lengths, to: dict[str, Any] = outputs) -> None:
            to["ours"] = pair.ours(text, lengths, bf16)

        a, b = paired(baseline, ours, rounds, max(warm, 1) if len(lengths) == 1 else warm)
        kind = "bf16" if bf16 else "fp32"
        said = "-"
        if not bf16:
            (codes, features), (got, decoded) = outputs["baseline"], outputs["ours"]
            same = torch.equal(codes, got)
            whole = [i for i, n in enumerate(lengths) if n == max(lengths)]
            error = max(float((features[i] - decoded[i]).abs().max()) for i in whole)
            said = f"tokens {'equal' if same else 'DIFFER'}, features to {error:.0e}"
            ok &= same and error < 1e-4
        rows.append([f"{kind}, {name}", f"{a:.2f}", f"{b:.2f}", f"{a / b:.2f}x", said])
        print("  ".join(rows[-1]), flush=True)
        line, reached = goal(f"{kind}, {name}: faster by", a / b, 3.0 if bf16 else least, "x", at_least=True)
        lines.append(line)
        ok &= reached
        figures[f"{kind}, {name}"] = {"baseline_s": a, "ours_s": b, "ratio": a / b}
    return rows, lines, ok, figures


def bvh(pair: Pair, rounds: int, warm: int) -> tuple[list[list[str]], list[str], bool, dict[str, Any]]:
    """Text features to a BVH file, 196 frames; and how far the file's joints are from those that it was made of."""
    from baselines.export import inverse_kinematics

    import laban
    from laban.motion import humanml, legs
    from laban.motion.motion import Motion
    from laban.motion.skeletons import HUMANML22

    fixture = Path(__file__).parents[1] / "tests" / "fixtures" / "features_humanml3d.npz"
    with np.load(fixture) as arrays:
        names = [n for n in arrays.files if n.endswith("_canonical_joints")]
        clips = [arrays[n].astype(np.float64) for n in names]
    joints = np.concatenate([clips[0]] * (196 // len(clips[0]) + 1))[:196]
    text = torch.randn(1, 512, generator=torch.Generator().manual_seed(1))
    few = 5

    def plain() -> None:
        pair.baseline(text, [LONGEST])

    def ours() -> None:
        pair.ours(text, [LONGEST])
        made = legs.plant(Motion.from_joints(joints, 20.0, HUMANML22), joints)
        laban.write(made, path)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.bvh"
        a, b = paired(plain, ours, rounds, warm)
        ik = cpu(lambda: inverse_kinematics(joints, HUMANML22.offsets, list(HUMANML22.parents), few)) * 100 / few
        errors = []
        for clip in clips:
            real = humanml.decode(humanml.features_of(clip))
            laban.write(legs.plant(Motion.from_joints(real, 20.0, HUMANML22), real), path)
            errors.append(np.linalg.norm(laban.read(path).joints() - real, axis=-1))
    mean, most = 1000 * float(np.mean([e.mean() for e in errors])), 1000 * max(float(e.max()) for e in errors)
    rows = [
        ["prompt to BVH, 196 frames", f"{a + 2 * ik:.2f}", f"{b:.2f}", f"{(a + 2 * ik) / b:.1f}x",
         f"baseline: {a:.2f} s and twice 100 iterations of IK, {ik:.2f} s each (from {few})"],
    ]  # fmt: skip
    first, fast = goal("prompt to BVH: faster by", (a + 2 * ik) / b, 8.0, "x", at_least=True)
    second, near = goal(f"joints of the BVH off by (mean {mean:.4f} mm), highest", most, 0.1, " mm")
    return (
        rows,
        [first, second],
        fast and near,
        {"bvh": {"baseline_s": a + 2 * ik, "ours_s": b, "mean_mm": mean, "max_mm": most}},
    )


def training(pair: Pair, rounds: int, warm: int) -> tuple[list[list[str]], list[str], bool, dict[str, Any]]:
    """One optimizer step of each transformer, 64 clips of 40 to 196 frames, lengths even."""
    from baselines.training import masked_step, residual_step

    from laban.systems.momask.condition import Condition

    generator = torch.Generator().manual_seed(2)
    frames = torch.randint(40, 197, (64,), generator=generator)
    lengths = frames // 4
    motion = torch.randn(64, 196, 263, generator=generator)
    motion[torch.arange(196)[None] >= frames[:, None]] = 0
    text = torch.randn(64, 512, generator=generator)
    plain, system = pair.plain, pair.system
    rows, lines, ok, figures = [], [], True, {}
    for stage, step in (("masked", masked_step), ("residual", residual_step)):
        old, new = getattr(plain, stage), system.module(stage)
        settings = {"lr": 2e-4, "betas": (0.9, 0.99), "weight_decay": 1e-5}
        for module in (old, new):
            module.train().requires_grad_(True)
        plain.vq.requires_grad_(True)
        optimisers = [torch.optim.AdamW(m.parameters(), **settings) for m in (old, new)]
        # Laban's sampler takes the clips of a batch from a sixteenth of the lengths: here four of the sixteenths.
        parts = [
            torch.randint(40 + 156 * k // 16, 41 + 156 * (k + 1) // 16, (64,), generator=generator) // 4
            for k in (1, 5, 10, 14)
        ]
        codes = torch.randint(0, 512, (64, LONGEST, 6), generator=generator)

        def theirs(old: Any, optimiser: torch.optim.Optimizer, step: Callable[..., torch.Tensor]) -> None:
            optimiser.zero_grad()
            step(plain, motion, text, lengths).backward()
            optimiser.step()

        def ours(new: Any, optimiser: torch.optim.Optimizer, stage: str, codes: torch.Tensor, parts: list[Any]) -> None:
            for part in parts:
                n = int(part.max())
                valid = torch.arange(n) < part[:, None]
                optimiser.zero_grad()
                known = codes[:, :n, 0] if stage == "masked" else codes[:, :n]
                new.loss(known, valid, Condition(text), generator)["loss"].backward()
                optimiser.step()

        a, b = paired(
            partial(theirs, old, optimisers[0], step),
            partial(ours, new, optimisers[1], stage, codes, parts),
            rounds - 1,
        )
        b /= len(parts)
        rows.append(
            [f"training step, {stage}", f"{a:.2f}", f"{b:.2f}", f"{a / b:.2f}x", "64 clips of 40 to 196 frames"]
        )
        line, reached = goal(f"training step, {stage}: faster by", a / b, 1.5, "x", at_least=True)
        lines.append(line)
        ok &= reached
        figures[f"training, {stage}"] = {"baseline_s": a, "ours_s": b, "ratio": a / b}
        for module in (old, new, plain.vq):
            module.eval().requires_grad_(False)
    return rows, lines, ok, figures


def main() -> tuple[dict[str, Any], bool, argparse.Namespace]:
    made = parser("MoMask against a plain implementation")
    made.add_argument("--rounds", type=int, default=3)
    made.add_argument("--warm", type=int, default=1, help="rounds before that are not counted (batch 1: at least one)")
    made.add_argument(
        "--only", nargs="+", choices=("fp32", "bf16", "bvh", "training"), default=["fp32", "bf16", "bvh", "training"]
    )
    options = made.parse_args()
    torch.set_num_threads(1)
    sys.path.insert(0, str(Path(__file__).parent))
    pair = Pair()
    units = "amx" in Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else False
    rows, reached, figures = [], True, {}
    for part, measure in (
        ("fp32", lambda: precision(pair, options.rounds, options.warm, False)),
        ("bf16", lambda: precision(pair, options.rounds, options.warm, True)),
        ("bvh", lambda: bvh(pair, options.rounds, options.warm)),
        ("training", lambda: training(pair, options.rounds, options.warm)),
    ):  # fmt: skip
        if part not in options.only:
            continue
        new_rows, new_lines, ok, found = measure()
        if part == "bf16" and not units:
            new_lines, ok = ["bf16: this processor has no matrix units (AMX), so the goal does not apply here"], True
        rows, reached = rows + new_rows, reached and ok
        figures |= found
        print("\n".join(new_lines), flush=True)
    print(table(["CPU seconds", "baseline", "Laban", "ratio", "outputs, remarks"], rows))
    return figures, reached, options


if __name__ == "__main__":
    run(main)
