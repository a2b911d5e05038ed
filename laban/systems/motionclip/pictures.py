"""Pictures of motion for the image branch: rendering, a small image-text model, and features on disk.

The body is this package's own mannequin, by the software rasteriser of `laban.io`: no licensed mesh, no GL. Each clip
is seen at one moment from several sides. MotionCLIP learned from pictures of SMPL under CLIP's image tower; CLIP
encodes these as well (`laban.condition.clip_text`), but what it makes of a mannequin is not known.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from laban.drawing import raster, scene
from laban.errors import FormatError, InputError
from laban.io.atomic import replacing
from laban.motion.motion import Motion

SIDES = (0.0, 60.0, -60.0)  # degrees that the camera stands off the character's facing
ROOM = 1.25  # metres from the body's middle to the picture's edge
LARGER = 2  # pictures are drawn this much larger and averaged, for smooth edges


def render(motion: Motion, frame: int, size: int = 224, sides: Sequence[float] = SIDES) -> np.ndarray:
    """A moment of a motion on white.

    Args:
        motion: on any skeleton.
        frame: its number.
        size: pixels.
        sides: degrees, one picture each.
    Returns: (V, size, size, 3) uint8.
    Raises: InputError for a frame or size that cannot be.
    """
    if not 0 <= frame < motion.frames or not 16 <= size <= 1024:
        raise InputError(f"render: frame {frame} of {motion.frames} at {size} pixels; expected a frame, 16 to 1024.")
    figure = scene.Figure(motion)
    points, normals = figure.pose(frame)
    facing = scene.heading(motion.skeleton, motion.joints()[frame : frame + 1])
    middle = np.array([*(points[:, 0].min() + np.ptp(points[:, 0]) / 2,), 0.9, points[:, 2].mean()], np.float64)
    pixels, far, out = size * LARGER, 6.0, []
    for side in sides:
        yaw = facing + np.radians(side)
        eye = middle + far * np.array([np.sin(yaw), 0.12, np.cos(yaw)])
        camera = raster.Camera(eye, middle, 2 * np.arctan(ROOM / far), pixels, pixels)
        place, corners, weights = raster.visible(camera.project(points), figure.mesh.faces, pixels, pixels)
        picture = np.ones((pixels * pixels, 3), np.float32)
        if len(place):
            n = np.einsum("nk,nkd->nd", weights, normals[corners].astype(np.float32))
            n /= np.maximum(np.linalg.norm(n, axis=1, keepdims=True), 1e-6)
            p = np.einsum("nk,nkd->nd", weights, points[corners].astype(np.float32))
            view = camera.eye.astype(np.float32) - p
            view /= np.linalg.norm(view, axis=1, keepdims=True)
            colours = np.einsum("nk,nkd->nd", weights, figure.mesh.colours[corners].astype(np.float32))
            picture[place] = raster.shade(n, view, colours, camera.light())
        shown = (picture.clip(0, 1) * 255).astype(np.uint8).reshape(pixels, pixels, 3)
        out.append(np.asarray(Image.fromarray(shown).reduce(LARGER)))
    return np.stack(out)


class ImageEncoder(nn.Module):
    """Small grey pictures -> unit vectors beside those of texts: five convolutions and a linear map."""

    def __init__(self, width: int, channels: int = 24) -> None:
        super().__init__()
        c = channels
        sizes = [(1, c), (c, 2 * c), (2 * c, 3 * c), (3 * c, 4 * c), (4 * c, 4 * c)]
        layers: list[nn.Module] = []
        for a, b in sizes:
            layers += [nn.Conv2d(a, b, 3, 2, 1), nn.GroupNorm(1, b), nn.GELU()]
        self.body = nn.Sequential(*layers)
        self.last = nn.Linear(4 * 4 * c, width)

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, 64, 64) in [0, 1], white 1 -> (B, width) unit."""
        x = self.body(1 - pictures[:, None])
        return F.normalize(self.last(F.adaptive_avg_pool2d(x, 2).flatten(1)), dim=-1)


def train(
    pictures: Tensor,
    texts: Tensor,
    owners: Tensor,
    steps: int,
    seed: int = 0,
    batch: int = 96,
    temperature: float = 0.1,
) -> ImageEncoder:
    """An image encoder whose vectors come near the texts'.

    Args:
        pictures: (N, 64, 64) in [0, 1].
        texts: (M, W) unit vectors of the captions.
        owners: (N,) caption of each.
        steps: of the optimiser.
        seed: of weights and batches.
        batch: pictures of one step.
        temperature: of the contrastive loss.
    Loss: cross-entropy over all captions by cosine / temperature.
    """
    torch.manual_seed(seed)
    model = ImageEncoder(texts.shape[1])
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-2)
    rng = np.random.default_rng(seed)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * min(1.0, (step + 1) / 50) * 0.5 * (1 + np.cos(np.pi * step / steps))
        picks = torch.from_numpy(rng.integers(len(pictures), size=batch))
        scores = model(pictures[picks]) @ texts.T / temperature
        loss = F.cross_entropy(scores, owners[picks])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


def write_features(path: str | Path, features: Mapping[str, Tensor]) -> None:
    """Keep picture vectors: clip id -> (V, W)."""
    path = Path(path)
    if path.suffix != ".npz" or not features:
        raise InputError(f"{path}: picture features go into an .npz, and there must be some.")
    names = sorted(features)
    with replacing(path) as beside, beside.open("wb") as handle:
        np.savez(
            handle, ids=np.array(names), features=torch.stack([features[n] for n in names]).numpy().astype(np.float16)
        )


def read_features(path: str | Path) -> dict[str, Tensor]:
    """What `write_features` wrote. InputError if the file is absent; FormatError if it is another."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file; make it with tools/text_encoder/image_text.py.")
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as held:
            ids, rows = held["ids"], torch.from_numpy(held["features"].astype(np.float32))
        if rows.ndim != 3 or len(ids) != len(rows) or not torch.isfinite(rows).all():
            raise ValueError("its parts do not fit")
    except (OSError, ValueError, LookupError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise FormatError(
            f"{path}: not picture features ({' '.join(str(error).split())[:100]}); make them anew."
        ) from None
    return {str(i): r for i, r in zip(ids, rows, strict=True)}
