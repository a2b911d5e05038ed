"""The animation of an FBX scene: a stack with a layer, and for each moved property a node with three curves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from laban.io.fbx import curves
from laban.io.fbx.container import Long
from laban.io.fbx.scene import SECOND, Scene

_LINEAR, _CUBIC = 4, 8 | 0x400 | 0x800  # cubic: its slopes are given, one behind the key and one before the next
_THIRDS = np.array([0x0D050D05], np.int32).view(np.float32)[0]  # weights of slopes, in 9999ths, as two short numbers
_AXES = "XYZ"


@dataclass(frozen=True)
class Track:
    """A moved property.

    Attributes:
        prop: "Lcl Rotation" or "Lcl Translation".
        places: (K,) frames of the keys.
        values: (K, 3) degrees or centimetres.
        slopes: (K, 3, 2) behind each key and before the next one, per frame; None for straight lines.
    """

    prop: str
    places: np.ndarray
    values: np.ndarray
    slopes: np.ndarray | None = None


def travel(places: np.ndarray) -> Track:
    """A bone that moves to (T, 3) centimetres in its parent."""
    return Track("Lcl Translation", np.arange(len(places), dtype=np.float64), places)


def turning(turns: np.ndarray, tolerance: float) -> Track:
    """A bone that turns by (T, 4) unit wxyz in its parent; between frames the curves are off by `tolerance` radians."""
    frames = len(turns)
    still = frames > 2 and np.abs(np.abs((turns * turns[:1]).sum(-1)) - 1).max() < 1e-14
    keys = curves.keys(turns[[0, -1]] if still else turns, tolerance)
    places = keys.places * (frames - 1) if still else keys.places
    slopes = np.zeros((len(places), 3, 2))
    slopes[:-1] = np.degrees(np.stack([keys.right, keys.left], axis=-1))
    return Track("Lcl Rotation", places, np.degrees(keys.angles), slopes)


def stack(scene: Scene, frames: int) -> int:
    """The one stack of a scene and its layer. Returns: the identity of the layer."""
    identity, node = scene.add("AnimationStack", scene.name, "AnimStack", "")
    node.closed = True
    spans = (("LocalStart", 0), ("LocalStop", frames - 1), ("ReferenceStart", 0), ("ReferenceStop", frames - 1))
    node.table(
        *((name, "KTime", "Time", "", Long(scene.moment(max(frame, 0)))) for name, frame in spans),
        ("laban", "KString", "", "U", scene.passport),
    )
    layer, node = scene.add("AnimationLayer", "BaseLayer", "AnimLayer", "")
    node.closed = True
    scene.connect(layer, identity)
    return layer


def animate(scene: Scene, layer: int, model: int, track: Track) -> None:
    """Move a property of a model along a track."""
    letter = track.prop[4]
    owner, node = scene.add("AnimationCurveNode", letter, "AnimCurveNode", "")
    node.table(
        *((f"d|{axis}", "Number", "", "A", float(value)) for axis, value in zip(_AXES, track.values[0], strict=True))
    )
    scene.connect(owner, layer)
    scene.connect(owner, model, track.prop)
    times = np.round(track.places / scene.fps * SECOND).astype("<i8")
    for number, axis in enumerate(_AXES):
        curve, node = scene.add("AnimationCurve", "", "AnimCurve", "")
        node.add("Default", float(track.values[0, number]))
        node.add("KeyVer", 4008)
        node.add("KeyTime", times)
        node.add("KeyValueFloat", track.values[:, number].astype("<f4"))
        flags, data, repeats = _attributes(scene, track, number)
        node.add("KeyAttrFlags", flags)
        node.add("KeyAttrDataFloat", data)
        node.add("KeyAttrRefCount", repeats)
        scene.connect(curve, owner, f"d|{axis}")


def _attributes(scene: Scene, track: Track, axis: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Flags, data and repeats of the keys; straight lines share one entry."""
    count = len(track.places)
    if track.slopes is None:
        return np.array([_LINEAR], "<i4"), np.zeros(4, "<f4"), np.array([count], "<i4")
    data = np.zeros((count, 4), "<f4")
    data[:, :2] = track.slopes[:, axis] * scene.fps
    data[:, 2] = _THIRDS
    return np.full(count, _CUBIC, "<i4"), data.ravel(), np.ones(count, "<i4")
