"""Motions as still pictures (.png): one motion as a row of poses, or many motions as a contact sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from laban.drawing import caption, scene, timeline
from laban.errors import InputError
from laban.io.atomic import replacing
from laban.motion.motion import Motion

_PAPER = (247, 247, 246)
ROW = scene.Framing(np.radians(8), np.radians(9), nearest=1.0, side=0.94, head=0.84, foot=0.76)
PATH = scene.Framing(np.radians(17), np.radians(28), nearest=1.0, side=0.94, head=0.86, foot=0.86)


def poses(
    motion: Motion, width: int = 1280, height: int = 320, count: int = 8, layout: str = "row", yaw: float = 38.0,
    figure: scene.Figure | None = None, at: Sequence[float] = (),
) -> np.ndarray:  # fmt: skip
    """One picture of several moments of a motion, on one floor, under one camera.

    Args:
        motion: at least one frame.
        width: pixels.
        height: pixels.
        count: how many moments, spread evenly from the first frame to the last (fewer if there are fewer frames).
        layout: "row" sets the poses side by side, earliest at the left, and writes the seconds under them; "path"
            leaves them where they happen, the earlier the paler.
        yaw: degrees that the camera stands off the character's mean facing, towards its left.
        figure: what is drawn, frame by frame of the motion; the mannequin if not given.
        at: seconds of the moments, instead of `count`.
    Returns: (height, width, 3) uint8.
    Raises: InputError for another layout, size or count.
    """
    scene.check_size("picture", width, height)
    if layout not in ("row", "path"):
        raise InputError(f"picture: layout is {layout!r}; expected 'row' or 'path'.")
    if not 1 <= count <= 64:
        raise InputError(f"picture: {count} poses; expected 1 to 64.")
    places = np.asarray(at) * motion.fps if len(at) else np.linspace(0, motion.frames - 1, count)
    moments = np.unique(np.round(places).clip(0, motion.frames - 1).astype(int))
    still = replace(motion, rotations=motion.rotations[moments], root=motion.root[moments])
    drawn = scene.Figure(still) if figure is None else figure
    facing = scene.heading(motion.skeleton, still.joints())
    stand = facing + np.radians(yaw)
    right = np.array([np.cos(stand), 0.0, -np.sin(stand)])
    away = np.array([-np.sin(stand), 0.0, -np.cos(stand)])
    parts = [drawn.pose(int(moment) if figure else k) for k, moment in enumerate(moments)]
    shifts = np.zeros((len(moments), 3))
    if layout == "row":
        spans = [(float((p @ right).min()), float((p @ right).max())) for p, _ in parts]
        rooms = [max(high - low, 0.62) for low, high in spans]  # narrow poses keep some air: an even rhythm
        tall = max(1.0, max(float(p[:, 1].max()) for p, _ in parts))
        gap = float(np.clip((0.92 * tall * width / height - sum(rooms)) / len(rooms), 0.16, 1.1))
        edge = 0.0
        for k, (low, high) in enumerate(spans):
            room = rooms[k]
            middle = edge + room / 2
            depth = float((parts[k][0] @ away).mean())
            shifts[k] = right * (middle - (low + high) / 2) - away * depth
            edge += room + gap
    points = np.concatenate([p + s for (p, _), s in zip(parts, shifts, strict=True)]).astype(np.float32)
    normals = np.concatenate([n for _, n in parts])
    body = len(drawn.mesh.vertices)
    faces = np.concatenate([drawn.mesh.faces + k * body for k in range(len(moments))])
    colours = np.tile(drawn.mesh.colours, (len(moments), 1)).astype(np.float32)
    if layout == "path" and len(moments) > 1:
        pale = np.repeat(0.55 * (1 - np.linspace(0, 1, len(moments))), body)[:, None]
        colours += (np.float32(0.93) - colours) * pale.astype(np.float32)
    flat = points[:, [0, 2]].astype(np.float64)
    along = np.stack([flat @ right[[0, 2]], flat @ away[[0, 2]]], axis=-1)
    along = (along.min(axis=0) + along.max(axis=0)) / 2
    target = along[0] * right[[0, 2]] + along[1] * away[[0, 2]]
    row = layout == "row"
    shot = scene.frame_shot(points[None, ::7], target[None], width, height, stand, ROW if row else PATH)
    picture = scene.Stage(shot, width, height).draw(target, points, normals, colours, faces)
    if row:
        camera = shot.camera(target, width, height)
        feet = np.array([(p + s).mean(axis=0) * (1, 0, 1) for (p, _), s in zip(parts, shifts, strict=True)])
        across = camera.project(feet)[:, 0]
        picture = _write_times(picture, across, moments / motion.fps)
    return picture


def _write_times(picture: np.ndarray, across: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """The seconds under each pose; every second one, or fewer, where they would touch."""
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    size = int(np.clip(picture.shape[0] / 19, 9, 24))
    free = -1e9
    for x, second in zip(across, seconds, strict=True):
        text = f"{second:.1f} s"
        half = draw.textlength(text, font=caption.font(size)) / 2
        if x - half > free:
            draw.text(
                (x, picture.shape[0] - 0.8 * size), text, font=caption.font(size), fill=(92, 100, 112), anchor="mm"
            )
            free = x + half + 4
    return np.array(image)


def write(
    motion: Motion,
    path: str | Path,
    view: scene.View = scene.USUAL,
    *,
    poses_shown: int = 8,
    layout: str = "row",
    figure: scene.Figure | None = None,
) -> None:
    """Write a .png of several moments of a motion.

    Args:
        motion: what to show.
        path: ends in .png.
        view: size of the whole picture, 1280x360 if it says none; captions stand above the row, beats under it.
        poses_shown: how many moments.
        layout: "row" or "path", see `poses`.
        figure: see `poses`.
    Raises: InputError for another suffix, layout or size, or a place that cannot be written.
    """
    path = _png(path)
    width, height = view.sized(1280, 360)
    title = ", then ".join(segment.text for segment in motion.segments) if view.caption else ""
    bar = _bar(title, width, max(13, round(height / 20))) if title else None
    strip = timeline.height_of(height) if view.beats else 0
    room = height - (0 if bar is None else len(bar)) - strip
    parts = [poses(motion, width, room, poses_shown, layout, view.yaw, figure, view.at)]
    if bar is not None:
        parts.insert(0, bar)
    if view.beats:
        parts.append(timeline.Timeline.of(motion).strip(width, strip, 0.0, motion.seconds))
    _save(np.concatenate(parts), path)


def contact_sheet(
    motions: Sequence[Motion],
    titles: Sequence[str],
    path: str | Path,
    width: int = 1280,
    row_height: int = 220,
    poses_shown: int = 8,
    yaw: float = 38.0,
    *,
    beats: bool = False,
) -> None:
    """Write a .png with one row per motion: its title, and under it its poses along time.

    Args:
        motions: N motions.
        titles: N texts.
        path: ends in .png.
        width: pixels.
        row_height: pixels of the poses of one row.
        poses_shown: how many moments in a row.
        yaw: degrees, see `poses`.
        beats: draw beats under each row, see `timeline`.
    Raises: InputError if there is nothing to show, the numbers differ, or the place cannot be written.
    """
    path = _png(path)
    if not motions or len(motions) != len(titles):
        raise InputError(
            f"contact_sheet: {len(motions)} motions and {len(titles)} titles; expected as many, at least 1."
        )
    rows: list[np.ndarray] = []
    for motion, title in zip(motions, titles, strict=True):
        if title.strip():
            rows.append(_bar(title, width, max(13, round(row_height / 13))))
        rows.append(poses(motion, width, row_height, poses_shown, "row", yaw))
        if beats:
            strip = timeline.height_of(2 * row_height)
            rows.append(timeline.Timeline.of(motion).strip(width, strip, 0.0, motion.seconds))
    _save(np.concatenate(rows), path)


def _bar(text: str, width: int, size: int) -> np.ndarray:
    """A strip of paper with a text of at most two lines at its left, (h, width, 3) uint8."""
    face = caption.font(size)
    measure = ImageDraw.Draw(Image.new("L", (1, 1))).textlength
    lines = caption.wrap(text, lambda s: measure(s, font=face), width - 2 * size, 2)
    step = round(1.35 * size)
    image = Image.new("RGB", (width, step * len(lines) + round(0.9 * size)), _PAPER)
    draw = ImageDraw.Draw(image)
    for k, line in enumerate(lines):
        draw.text((size, round(0.45 * size) + (k + 0.5) * step), line, font=face, fill=caption.INK, anchor="lm")
    return np.asarray(image)


def _png(path: str | Path) -> Path:
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise InputError(f"picture: {path.name} ends in {path.suffix or 'nothing'}; expected .png.")
    return path


def _save(picture: np.ndarray, path: Path) -> None:
    with replacing(path) as temporary:
        Image.fromarray(picture).save(temporary, format="PNG", optimize=True)
