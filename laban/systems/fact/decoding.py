"""Dances from the network: windows that slide by k frames, seams that fade, and a stage that is not left."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from laban.motion import root_relative
from laban.motion.easing import smoothstep
from laban.systems.fact.config import FactConfig
from laban.systems.fact.network import FactNetwork

AHEAD = 64  # windows of music that are encoded together


def decode(
    network: FactNetwork,
    config: FactConfig,
    seed: Tensor,
    music: Tensor,
    frames: int,
    block: int,
    generator: torch.Generator,
    progress: Callable[[int], None] | None = None,
) -> Tensor:
    """Frames that follow a seed.

    Music is encoded for many windows at once, which changes nothing (it does not depend on the motion) and is
    several times cheaper than one by one; its memory does not grow with the song.

    Args:
        network: the trained network.
        config: its configuration.
        seed: (history, W) normalised rows that end where the dance begins.
        music: (M, 35) normalised; row 0 belongs to the first frame of the seed; rows beyond the end repeat the last.
        frames: how many to make.
        block: frames committed per pass, at most config.future.
        generator: of the noise on the history, if the configuration wants any.
        progress: called with the number of frames done.
    Returns: (frames, W) normalised.
    """
    noise = config.sampling.noise
    made = torch.empty(frames, seed.shape[1])
    history = seed.clone()
    leftover = seed[:0]
    starts = range(0, frames, block)
    windows = heard = music[:0]
    for number, start in enumerate(starts):
        if number % AHEAD == 0:
            part = starts[number : number + AHEAD]
            windows = torch.stack([_window(music, at, config.audio) for at in part])
            heard = network.audio(windows)
        seen = history
        if noise:
            seen = history + noise * torch.randn(history.shape, generator=generator)
        now = number % AHEAD
        rows = network.predict(seen[None], windows[now][None], heard[now][None])[0].float()
        if len(leftover):
            fade = smoothstep(torch.linspace(0, 1, len(leftover) + 2)[1:-1, None])
            rows[: len(leftover)] = leftover * (1 - fade) + rows[: len(leftover)] * fade
        count = min(block, frames - start)
        made[start : start + count] = rows[:count]
        leftover = rows[block : min(config.supervised, block + config.sampling.blend)]
        history = torch.cat([history, rows[:block]])[-config.history :]
        if progress is not None:
            progress(start + count)
    return made


def _window(music: Tensor, start: int, length: int) -> Tensor:
    """Rows start ... start + length - 1, the last one repeated beyond the end."""
    return music[torch.arange(start, start + length).clamp_max(len(music) - 1)]


def smoothed(rows: Tensor, before: Tensor, deviation: float) -> Tensor:
    """Rows through a Gaussian over time, which knows what was before them; the last one is held beyond the end.

    Args:
        rows: (T, W).
        before: (H, W).
        deviation: frames; 0 changes nothing.
    """
    reach = min(round(3 * deviation), len(before))
    if not reach:
        return rows
    around = torch.cat([before[-reach:], rows, rows[-1:].expand(reach, -1)])
    weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / deviation) ** 2)
    return (around.unfold(0, 2 * reach + 1, 1) * (weights / weights.sum())).sum(dim=-1)


def on_stage(rows: np.ndarray, radius: float, fps: float = 60.0, most: float = 1.2, seconds: float = 1.5) -> np.ndarray:
    """Rows of `root_relative` with a yaw rate added that keeps the path near where it began.

    Outside a third of the radius, a dancer whose path of the last `seconds` leads away is turned towards the middle,
    by up to `most` rad/s at the edge. Steps are not shortened, so feet slide no more than a turn makes them.

    Args:
        rows: (T, 4 + 6 J), in their units.
        radius: metres; 0 changes nothing.
        fps: of the rows.
        most: radians per second that are added at the most.
        seconds: of the path behind, which tell where it leads.
    Returns: (T, 4 + 6 J).
    Source: ours: relative rows do not know where the dancer is, so nothing else brings one back.
    """
    if not radius:
        return rows
    rows = rows.copy()
    keep = float(np.exp(-1.0 / (seconds * fps)))
    x = z = vx = vz = facing = 0.0
    for t in range(len(rows)):
        forward, sideways, yaw_rate = float(rows[t, 0]), float(rows[t, 1]), float(rows[t, 3])
        away = float(np.hypot(x, z))
        pull = min(1.0, max(0.0, (away - radius / 3) / (radius * 2 / 3)))
        speed = float(np.hypot(vx, vz))
        if pull and speed > 0.02:
            turn = (vz * -x - vx * -z) / (speed * away)  # sine of the angle to the middle, from above
            towards = -(vx * x + vz * z) / (speed * away)
            bend = turn if towards > 0 else (1.0 if turn >= 0 else -1.0)
            yaw_rate += most * pull * bend * min(1.0, speed / 0.2)
            rows[t, root_relative.YAW_RATE] = yaw_rate
        facing += yaw_rate / fps if t else 0.0
        sine, cosine = float(np.sin(facing)), float(np.cos(facing))
        wx, wz = forward * sine + sideways * cosine, forward * cosine - sideways * sine
        if t:
            x, z = x + wx / fps, z + wz / fps
        vx, vz = keep * vx + (1 - keep) * wx, keep * vz + (1 - keep) * wz
    return rows
