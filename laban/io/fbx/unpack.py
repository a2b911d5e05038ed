"""An FBX file as plain arrays, by ufbx: a program of its own, which `document` runs. FILE.fbx OUT.npz

It imports nothing of Laban. It runs apart from it for two reasons: a file that breaks a reader written in C ends this
process and no other, and memory and time are bounded by the system. The package ufbx 0.0.5 hands out objects
without counting that they are held; `own` counts for it, and the process ends without cleaning up.

World: metres, Y up, right-handed. `scene` of the archive is JSON about everything, the other arrays are named in it.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import ufbx

MOST_MEMORY = 4 << 30
MOST_SECONDS = 120
MOST_SAMPLES = 5_000_000  # nodes times frames over all animations
MOST_FILE = 2 << 30
RATES = (1.0, 1000.0)
_hold = ctypes.pythonapi.Py_IncRef
_hold.argtypes = [ctypes.py_object]


class Refused(Exception):
    """What is wrong with the file, in words."""


def own(thing: Any) -> Any:
    """Hold a reference for as long as the process runs."""
    _hold(thing)
    return thing


def each(things: Any) -> Iterator[Any]:
    """The elements of a list of ufbx."""
    for number in range(len(things)):
        yield own(things[number])


def bound() -> None:
    """Let the system end this process where it takes too much; systems other than POSIX have the caller's clock."""
    try:
        import resource
    except ImportError:
        return
    for kind, most in (
        (resource.RLIMIT_AS, MOST_MEMORY), (resource.RLIMIT_CPU, MOST_SECONDS), (resource.RLIMIT_FSIZE, MOST_FILE),
        (resource.RLIMIT_CORE, 0),
    ):  # fmt: skip
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (most if hard < 0 else min(most, hard), hard))


class Archive:
    """Arrays by number."""

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}

    def put(self, values: Any, kind: str = "f8", width: int = 0) -> str:
        """Keep an array, (N,) or (N, width). Returns: its name."""
        array = np.array(values, kind)
        name = f"a{len(self.arrays)}"
        self.arrays[name] = array.reshape(-1, width) if width else array
        return name


def load(path: str) -> Any:
    """The scene in our units and axes."""
    return own(ufbx.load_file(
        path, file_format=ufbx.FileFormat.FBX, target_axes=ufbx.axes_right_handed_y_up, target_unit_meters=1.0,
        space_conversion=ufbx.SpaceConversion.MODIFY_GEOMETRY, load_external_files=False, node_depth_limit=1000,
        geometry_transform_handling=ufbx.GeometryTransformHandling.MODIFY_GEOMETRY, generate_missing_normals=True,
        inherit_mode_handling=ufbx.InheritModeHandling.COMPENSATE, clean_skin_weights=True,
    ))  # fmt: skip


def nodes_of(scene: Any) -> list[dict[str, Any]]:
    """Names, parents and places of all nodes; the first is the scene itself."""
    out = []
    for node in each(scene.nodes):
        t, r, s = node.local_transform.translation, node.local_transform.rotation, node.local_transform.scale
        parent = node.parent
        bone = node.bone is not None
        above = own(parent).typed_id if parent is not None else -1
        out.append({"name": node.name, "parent": above, "bone": bone, "t": list(t), "r": list(r), "s": list(s)})
    return out


def materials_of(scene: Any, archive: Archive) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Materials, and the pictures that they use."""
    pictures: list[dict[str, Any]] = []
    known: dict[int, int] = {}

    def picture(slot: Any) -> int:
        texture = slot.texture
        if texture is None or not slot.texture_enabled:
            return -1
        texture = own(texture)
        if texture.element_id not in known:
            known[texture.element_id] = len(pictures)
            data = bytes(texture.content or b"")
            files = [texture.relative_filename, texture.filename]
            name = archive.put(np.frombuffer(data, np.uint8), "u1")
            pictures.append({"name": texture.name, "files": files, "data": name})
        return known[texture.element_id]

    out = []
    for material in each(scene.materials):
        pbr, fbx = own(material.pbr), own(material.fbx)
        base, glow, opacity = own(pbr.base_color), own(pbr.emission_color), own(pbr.opacity)
        normal = own(pbr.normal_map) if own(pbr.normal_map).texture is not None else own(fbx.normal_map)
        strength = own(pbr.emission_factor)
        colour = list(base.value_vec4)[:3] if base.has_value else [1.0, 1.0, 1.0]
        light = strength.value_vec4[0] if strength.has_value else 1.0
        out.append({
            "name": material.name, "colour": colour, "glow": [light * v for v in list(glow.value_vec4)[:3]],
            "opacity": opacity.value_vec4[0] if opacity.has_value else 1.0,
            "pictures": {"colour": picture(base), "normal": picture(normal), "glow": picture(glow)},
        })  # fmt: skip
    return out, pictures


def meshes_of(scene: Any, archive: Archive) -> list[dict[str, Any]]:
    """Surfaces with their skins and blend shapes, and the nodes that show them."""
    out = []
    for mesh in each(scene.meshes):
        shown = [node.typed_id for node in each(mesh.instances)]
        if not mesh.num_indices or not shown:
            continue
        normal, uv = mesh.vertex_normal, mesh.vertex_uv
        entry: dict[str, Any] = {
            "nodes": shown, "vertices": archive.put(list(mesh.vertices), width=3),
            "corners": archive.put(list(mesh.vertex_indices), "i8"),
            "faces": archive.put([tuple(f)[:2] for f in mesh.faces], "i8", 2),
            "face_material": archive.put(list(mesh.face_material), "i8"),
            "materials": [material.typed_id for material in each(mesh.materials)], "skin": None, "shapes": [],
        }  # fmt: skip
        for name, attribute, width in (("normal", normal, 3), ("uv", uv, 2)):
            if attribute.exists:
                entry[name] = archive.put(list(attribute.values), width=width)
                entry[f"{name}_of"] = archive.put(list(attribute.indices), "i8")
        skins = list(each(mesh.skin_deformers))
        if skins:
            entry["skin"] = skin_of(skins[0], archive)
        for blend in each(mesh.blend_deformers):
            for channel in each(blend.channels):
                shape = channel.target_shape
                if shape is not None:
                    shape = own(shape)
                    entry["shapes"].append({
                        "name": channel.name or shape.name, "weight": channel.weight,
                        "vertices": archive.put(list(shape.offset_vertices), "i8"),
                        "moves": archive.put(list(shape.position_offsets), width=3),
                    })  # fmt: skip
        out.append(entry)
    return out


def skin_of(skin: Any, archive: Archive) -> dict[str, Any]:
    """The bones of a skin, mesh to bone, and which vertices they move."""
    bones, binds, counts = [], [], []
    vertices: list[int] = []
    weights: list[float] = []
    for cluster in each(skin.clusters):
        node = cluster.bone_node
        if node is None:
            continue
        bones.append(own(node).typed_id)
        binds.append([*map(list, cluster.geometry_to_bone)])
        own_vertices, own_weights = list(cluster.vertices), list(cluster.weights)
        counts.append(len(own_vertices))
        vertices += own_vertices
        weights += own_weights
    return {
        "bones": bones, "binds": archive.put(binds, width=12), "counts": counts,
        "vertices": archive.put(vertices, "i8"), "weights": archive.put(weights),
    }  # fmt: skip


def rate_of(scene: Any, keys: list[list[float]], pace: float) -> float:
    """Frames per second: the file's, or those of its keys where they lie between the file's frames."""
    rate = float(scene.settings.frames_per_second)
    rate = rate if RATES[0] <= rate <= RATES[1] else 30.0
    steps = [float(np.median(np.diff(times))) / pace for times in keys[:200] if len(times) > 3]
    step = float(np.median(steps)) if steps else 0.0
    whole = step * rate
    if not step > 0 or (whole > 0.99 and abs(whole - round(whole)) < 0.02):
        return rate
    found = 1 / step
    found = round(found) if abs(found - round(found)) < 0.01 * found else found
    return float(found) if RATES[0] <= found <= RATES[1] else rate


def animations_of(scene: Any, archive: Archive) -> list[dict[str, Any]]:
    """Where the nodes are over time, frame by frame."""
    nodes = list(each(scene.nodes))[1:]
    out, left = [], MOST_SAMPLES
    for stack in each(scene.anim_stacks):
        anim = own(stack.anim)
        begin, end = float(stack.time_begin), float(stack.time_end)
        keys = [
            [key.time for key in own(curve).keyframes]
            for layer in each(stack.layers) for value in each(layer.anim_values) for curve in value.curves
            if curve is not None
        ]  # fmt: skip
        last = max((times[-1] for times in keys if times), default=begin)
        first = min((times[0] for times in keys if times), default=begin)
        # Assimp writes keys in thousandths of a second as if they were seconds, and the take's end in seconds
        pace = 1000.0 if end > begin and abs((last - begin) / (1000 * (end - begin)) - 1) < 0.02 else 1.0
        if not end > begin:
            begin, end = first, last
        elif begin < last < end:
            end = last
        if not (np.isfinite(begin) and np.isfinite(end)):
            raise Refused("its animation has no length")
        rate = rate_of(scene, keys, pace)
        frames = round((end - begin) * rate) + 1
        left -= frames * len(nodes)
        if left < 0:
            raise Refused(f"its animations have more than {MOST_SAMPLES} places of nodes over time. Cut the take")
        moved = np.empty((frames, len(nodes), 10))
        for frame in range(frames):
            time = begin + pace * frame / rate
            for number, node in enumerate(nodes):
                t, r, s = ufbx.evaluate_transform(anim, node, time)
                moved[frame, number] = (*t, *r, *s)
        out.append({"name": stack.name, "fps": rate, "moved": archive.put(moved), "keys": len(keys)})
    return out


def main(source: str, target: str) -> int:
    bound()
    archive = Archive()
    try:
        scene = load(source)
        materials, pictures = materials_of(scene, archive)
        content = {
            "version": scene.metadata.version, "creator": scene.metadata.creator, "nodes": nodes_of(scene),
            "materials": materials, "pictures": pictures, "meshes": meshes_of(scene, archive),
            "animations": animations_of(scene, archive),
        }  # fmt: skip
    except Refused as error:
        sys.stderr.write(f"{error}\n")
        return 3
    except (ufbx.UfbxError, MemoryError, ValueError, TypeError, IndexError, RecursionError) as error:
        sys.stderr.write(f"{type(error).__name__}: {str(error)[:120]}\n")
        return 3
    archive.arrays["scene"] = np.array(json.dumps(content))
    np.savez(target, **archive.arrays)  # type: ignore[arg-type]
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1], sys.argv[2])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
