"""Films are opened again by the libraries that players use."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from laban.drawing import caption, film, raster, scene
from laban.drawing.scene import View
from laban.errors import InputError
from laban.figure.mesh import mannequin
from laban.formats import viewed
from laban.motion import kinematics, rotation
from laban.motion.motion import Motion, Segment
from laban.motion.skeletons import HUMANML22

LEFT_HAND, RIGHT_HAND = HUMANML22.index("left_wrist"), HUMANML22.index("right_wrist")


def wave(seconds: float = 1.0, fps: float = 20.0, speed: float = 0.0, turn: float = 0.0) -> Motion:
    """Arms down, the left forearm waving, standing on the floor; walks along +Z at `speed` m/s, turned by `turn`."""
    frames = round(seconds * fps)
    t = np.arange(frames) / fps
    angles = np.zeros((frames, 22, 3))
    angles[:, HUMANML22.index("right_shoulder"), 2] = 1.2
    angles[:, HUMANML22.index("left_shoulder"), 2] = 0.5
    angles[:, HUMANML22.index("left_elbow"), 2] = 0.8 + 0.6 * np.sin(2 * np.pi * t)
    angles[:, 0, 1] = turn
    rotations = rotation.from_axis_angle(angles)
    root = np.zeros((frames, 3))
    root[:, 0], root[:, 2] = np.sin(turn) * speed * t, np.cos(turn) * speed * t
    root[:, 1] = 0.03 - kinematics.forward(HUMANML22, rotations, root)[0, :, 1].min()
    return Motion(HUMANML22, rotations, root, fps, (Segment("a person waves", 0.0, seconds),), {"seed": 3})


def read_mp4(path) -> tuple[list[np.ndarray], Fraction, str, str]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        return frames, stream.average_rate, stream.codec_context.name, stream.codec_context.pix_fmt


def test_mp4_has_the_frames_size_and_rate(tmp_path):
    path = tmp_path / "wave.mp4"
    motion = wave(1.0)
    film.write(motion, path, View(320, 240), fps=30)
    frames, rate, codec, pixels = read_mp4(path)
    assert len(frames) == motion.resample(30).frames
    assert frames[0].shape == (240, 320, 3)
    assert rate == 30 and pixels == "yuv420p" and codec in ("h264", "mpeg4")
    first, later = frames[0].astype(int), frames[len(frames) // 4].astype(int)
    assert np.abs(first - later).max() > 60  # the forearm moved
    blob = path.read_bytes()
    assert blob.index(b"moov") < blob.index(b"mdat")  # faststart: plays before it is all there
    assert [p.name for p in tmp_path.iterdir()] == ["wave.mp4"]


def test_gif_has_the_frames_and_size(tmp_path):
    path = tmp_path / "wave.gif"
    film.write(wave(1.0), path, View(200, 160))
    with Image.open(path) as gif:
        assert gif.size == (200, 160) and gif.n_frames == 20
        assert gif.info["duration"] == 50
        first = np.asarray(gif.convert("RGB")).astype(int)
        gif.seek(5)
        assert np.abs(first - np.asarray(gif.convert("RGB"))).max() > 60


def test_the_whole_body_stays_in_the_picture_and_the_left_hand_is_at_the_right_from_in_front():
    for motion in (wave(2.0), wave(3.0, speed=2.5, turn=1.0), wave(2.0, turn=-2.0)):
        figure = scene.Figure(motion)
        facing = scene.heading(motion.skeleton, motion.joints())
        targets = scene.follow(motion.root[:, [0, 2]], motion.fps)
        shot = scene.frame_shot(figure.outline(), targets, 320, 240, facing)
        for frame in range(motion.frames):
            camera = shot.camera(targets[frame], 320, 240)
            seen = camera.project(figure.pose(frame)[0].astype(float))
            assert seen[:, 0].min() > 0 and seen[:, 0].max() < 320
            assert seen[:, 1].min() > 0 and seen[:, 1].max() < 240
            hands = camera.project(motion.joints()[frame, [LEFT_HAND, RIGHT_HAND]])
            assert hands[0, 0] > 160 > hands[1, 0]


def test_heading_reads_the_hips():
    for turn in (0.0, 1.0, -2.0):
        motion = wave(turn=turn)
        assert np.isclose(scene.heading(motion.skeleton, motion.joints()), turn, atol=1e-6)


def test_the_camera_follows_without_jitter():
    fps = 30.0
    t = np.arange(150) / fps
    shaky = np.stack([0.02 * np.sin(2 * np.pi * 7 * t), 1.4 * t], axis=-1)
    smooth = scene.follow(shaky, fps)
    jerk = np.abs(np.diff(smooth, n=2, axis=0)).max()
    assert jerk < 0.002 < np.abs(np.diff(shaky, n=2, axis=0)).max()
    middle = slice(60, 90)  # away from the ends it keeps up with a steady walk
    assert np.abs(smooth[middle] - shaky[middle])[:, 1].max() < 0.01
    still = scene.follow(0.1 * shaky, fps)
    assert (still == still[0]).all()


def test_spans_cover_each_pixel_of_a_split_square_once():
    square = np.array([[[2.3, 1.2], [12.7, 3.1], [9.4, 14.8]], [[2.3, 1.2], [9.4, 14.8], [1.1, 11.9]]])
    _, x, y = raster.spans(square, 20, 18)
    seen = np.zeros((18, 20), int)
    np.add.at(seen, (y, x), 1)
    assert seen.max() == 1
    ring = np.array([[2.3, 1.2], [12.7, 3.1], [9.4, 14.8], [1.1, 11.9]])
    centres = np.stack(np.meshgrid(np.arange(20) + 0.5, np.arange(18) + 0.5), axis=-1)
    sides = [np.cross(np.append(ring[(k + 1) % 4] - ring[k], 0), np.append(c - ring[k], 0))[2]
             for k in range(4) for c in centres.reshape(-1, 2)]  # fmt: skip
    inside = (np.array(sides).reshape(4, 18, 20) > 0).all(axis=0)
    assert (seen.astype(bool) == inside).all()


def test_the_nearer_triangle_wins_whatever_the_order():
    camera = raster.Camera(np.array([0.0, 0.0, 5.0]), np.zeros(3), 0.6, 40, 30)
    triangle = np.array([[-1.0, -1.0, 0.0], [1.0, -1.0, 0.0], [0.0, 1.0, 0.0]])
    points = np.concatenate([triangle, triangle + [0, 0, 0.5]])
    for faces in ([[0, 1, 2], [3, 4, 5]], [[3, 4, 5], [0, 1, 2]]):
        pixel, corners, weights = raster.visible(camera.project(points), np.array(faces), 40, 30)
        assert len(pixel) > 50 and len(set(pixel.tolist())) == len(pixel)
        assert (corners[(weights > 0.05).all(axis=1)] >= 3).all()
        assert np.allclose(weights.sum(axis=1), 1, atol=1e-5)
    away = raster.visible(camera.project(points), np.array([[0, 2, 1]]), 40, 30)
    assert len(away[0]) == 0


def test_the_picture_shows_a_lit_body_above_its_shadow():
    motion = wave(0.2)
    figure = scene.Figure(motion)
    target = motion.root[0, [0, 2]]
    shot = scene.frame_shot(figure.outline(), np.tile(target, (motion.frames, 1)), 240, 240, 0.6)
    stage = scene.Stage(shot, 240, 240)
    points, normals = figure.pose(0)
    mesh = figure.mesh
    shown = stage.draw(target, points, normals, mesh.colours, mesh.faces).astype(int)
    gone = stage.draw(target, points + [0, 1e4, 0], normals, mesh.colours, mesh.faces).astype(int)
    changed = np.abs(shown - gone).max(axis=-1) > 24
    cover = np.zeros(240 * 240, bool)
    cover[raster.visible(shot.camera(target, 240, 240).project(points.astype(float)), mesh.faces, 240, 240)[0]] = True
    cover = cover.reshape(240, 240)
    assert cover.sum() > 1500
    shadow = changed & ~cover
    assert 200 < shadow.sum() and (shown - gone)[shadow].mean() < -20
    assert shown[cover].max() > 200


def test_any_skeleton_can_be_filmed(tmp_path):
    from laban.motion.skeleton import Skeleton

    arm = Skeleton("crane", ("base", "boom", "hook"), (-1, 0, 1), np.array([[0, 0, 0], [0, 1.0, 0], [0, 0.2, 0.8]]))
    angles = np.zeros((4, 3, 3))
    angles[:, 1, 1] = np.arange(4)
    turns = rotation.from_axis_angle(angles)
    assert len(mannequin(arm).faces)
    film.write(Motion(arm, turns, np.zeros((4, 3)), 8), tmp_path / "crane.mp4", View(64, 48), fps=8)
    assert len(read_mp4(tmp_path / "crane.mp4")[0]) == 4


def test_a_single_frame_and_a_caption_of_any_length(tmp_path):
    motion = wave(0.05)
    assert motion.frames == 1
    long = Motion(HUMANML22, motion.rotations, motion.root, 20, (Segment("turning " * 60, 0, 1),))
    plain, captioned = (next(film.render(long, View(160, 120, caption=c))).astype(int) for c in (False, True))
    assert plain.shape == captioned.shape and np.abs(plain - captioned)[90:].max() > 50
    assert (captioned[-3:] == 255).all()  # the caption has a band of its own below the floor, and covers no feet
    film.write(long, tmp_path / "one.mp4", View(160, 120))
    assert len(read_mp4(tmp_path / "one.mp4")[0]) == long.resample(30).frames == 2  # 0.05 s, of 1/30 s each


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("a.avi", {}, "expected .mp4 or .gif"),
        ("a.mp4", {"width": 321}, "even"),
        ("a.mp4", {"width": 2}, "32 to 8192"),
        ("a.mp4", {"width": 8192, "height": 8192}, "together"),
        ("a.mp4", {"fps": 1000}, "1 to 240"),
        ("absent/a.mp4", {}, "does not exist"),
    ],
)
def test_errors_say_what_to_do(tmp_path, name, options, says):
    with pytest.raises(InputError, match=says):
        film.write(wave(0.1), tmp_path / name, **viewed(options))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "says"), [("a.mp4", "too many to draw"), ("a.gif", "made in memory")])
def test_hours_are_refused(tmp_path, name, says):
    motion = replace(wave(0.2), fps=0.002)  # 4 frames of 500 seconds
    with pytest.raises(InputError, match=says):
        film.write(motion, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_wrap_keeps_words_and_ends_in_an_ellipsis():
    assert caption.wrap("one two three", len, 8, 2) == ["one two", "three"]
    lines = caption.wrap("one two three four five six", len, 9, 2)
    assert len(lines) == 2 and lines[-1].endswith("…") and max(map(len, lines)) <= 9
