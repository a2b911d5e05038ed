"""In-between motion against the true one: L2Q, L2P and NPSS, as the LAFAN1 protocol has them.

Source: Harvey et al., "Robust Motion In-betweening" (SIGGRAPH 2020), section 6; NPSS: Gopalakrishnan et al., "A Neural
Temporal Model for Human Motion Prediction" (CVPR 2019), section 3.4.
"""

from __future__ import annotations

import numpy as np

from laban.errors import ShapeError
from laban.motion import rotation


def l2q(made: np.ndarray, real: np.ndarray) -> float:
    """L2 over all joints' global quaternions, mean over frames and clips.

    Args:
        made: (N, T, J, 4) unit wxyz, joint to world; signs are chosen as those of `real`.
        real: the same.
    Raises: ShapeError for other shapes.
    """
    made, real = _pair(made, real, 4)
    signs = np.where((made * real).sum(-1, keepdims=True) < 0, -1.0, 1.0)
    return float(np.sqrt(((made * signs - real) ** 2).sum((-1, -2))).mean())


def l2p(made: np.ndarray, real: np.ndarray, mean: np.ndarray, std: np.ndarray) -> float:
    """L2 over all joints' global positions, normalised, mean over frames and clips.

    Args:
        made: (N, T, J, 3) metres, world.
        real: the same.
        mean: (J, 3) metres, of training data in the same frame.
        std: (J, 3) metres.
    Raises: ShapeError for other shapes.
    """
    made, real = _pair(made, real, 3)
    return float(np.sqrt((((made - mean) / std - (real - mean) / std) ** 2).sum((-1, -2))).mean())


def npss(made: np.ndarray, real: np.ndarray) -> float:
    """Distance of normalised power spectra, weighted by the true power.

    Args:
        made: (N, T, J, 4) unit wxyz, joint to world.
        real: the same.
    Raises: ShapeError for other shapes.

    The signs of the quaternions are made continuous in time first. As released, the power is the square of the real
    part.
    """
    made, real = _pair(made, real, 4)

    def power(q: np.ndarray) -> np.ndarray:
        smooth = np.stack([rotation.continuous(clip) for clip in q])
        flat = smooth.reshape(*smooth.shape[:2], -1)
        return np.real(np.fft.fft(flat, axis=1)) ** 2  # (N, T, D)

    signs = np.where((made[:, :1] * real[:, :1]).sum(-1, keepdims=True) < 0, -1.0, 1.0)
    a, b = power(made * signs), power(real)
    total_a, total_b = a.sum(1, keepdims=True), b.sum(1, keepdims=True)
    off = np.abs(np.cumsum(a / np.maximum(total_a, 1e-12), 1) - np.cumsum(b / np.maximum(total_b, 1e-12), 1)).sum(1)
    weight = total_b[:, 0]
    return float((off * weight).sum() / np.maximum(weight.sum(), 1e-12))


def _pair(made: np.ndarray, real: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    made, real = np.asarray(made, np.float64), np.asarray(real, np.float64)
    if made.shape != real.shape or made.ndim != 4 or made.shape[-1] != width:
        raise ShapeError(
            f"metrics.inbetween: got {made.shape} and {real.shape}; expected two of one shape (clips, T, J, {width})."
        )
    return made, real
