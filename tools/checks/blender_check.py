"""Import our BVH and GLB with Blender and compare its joints with ours.

    python -m venv /tmp/blender && /tmp/blender/bin/pip install bpy==5.0.1     # Blender as a module; GPL; Python 3.11
    laban convert walk.glb walk.bvh && laban convert walk.glb walk.npz
    /tmp/blender/bin/python tools/checks/blender_check.py --expected walk.npz walk.bvh walk.glb

`--expected` is an .npz with `joints` (T, J, 3) metres in Laban's world (Y up, +Z forward), `names` (J,) and `fps`.
Laban's own .npz files have all three.
Prints the largest distance per file; exit code 1 beyond the tolerance of 1 mm, 2 for wrong input.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector


def start(fps: float, frames: int) -> None:
    """An empty scene at the clip's frame rate."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps = max(1, round(fps))
    scene.render.fps_base = max(1, round(fps)) / fps
    scene.frame_start, scene.frame_end = 0, frames  # an export from Blender would follow these


def load(path: Path) -> None:
    """What a user does in File > Import, with the settings that docs/blender-unity-unreal.md gives."""
    if path.suffix.lower() == ".bvh":
        bpy.ops.import_anim.bvh(
            filepath=str(path), axis_forward="-Z", axis_up="Y", global_scale=0.01, frame_start=1,
            rotate_mode="QUATERNION", use_fps_scale=False, update_scene_fps=False, update_scene_duration=False,
        )  # fmt: skip
    else:
        bpy.ops.import_scene.gltf(filepath=str(path))


def joints(names: list[str], frames: int) -> np.ndarray:
    """(T, J, 3) metres: bone heads in Blender's world, turned from Z up to Y up."""
    armature = next(o for o in bpy.context.scene.objects if o.type == "ARMATURE")
    first = round(armature.animation_data.action.frame_range[0])  # 1 for BVH, 0 for GLB
    missing = [n for n in names if n not in armature.pose.bones]
    if missing:
        raise SystemExit(f"Blender has no bone {', '.join(missing[:5])}")
    out = np.zeros((frames, len(names), 3))
    for t in range(frames):
        bpy.context.scene.frame_set(first + t)
        for j, name in enumerate(names):
            head: Vector = armature.matrix_world @ armature.pose.bones[name].head
            out[t, j] = head.x, head.z, -head.y
    return out


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", type=Path, nargs="+", help=".bvh and .glb")
    parser.add_argument("--expected", type=Path, required=True)
    parser.add_argument("--tolerance", type=float, default=0.001, help="metres")
    options = parser.parse_args()
    for path in (*options.files, options.expected):
        if not path.is_file():
            print(f"{path}: no such file", file=sys.stderr)
            return 2
    with np.load(options.expected, allow_pickle=False) as archive:
        fields = {key: archive[key] for key in archive.files}
    expected, fps = fields["joints"], float(fields["fps"])
    names = [str(n) for n in fields["names"]]
    failed = False
    for path in options.files:
        start(fps, len(expected))
        load(path)
        found = joints(names, len(expected))
        distance = np.linalg.norm(found - expected, axis=-1)
        t, j = np.unravel_index(distance.argmax(), distance.shape)
        fine = bool(distance.max() <= options.tolerance)
        failed |= not fine
        meshes = [o for o in bpy.context.scene.objects if o.type == "MESH"]
        print(
            f"{path.name}: {len(expected)} frames, {len(names)} joints, {len(meshes)} meshes: largest distance "
            f"{distance.max() * 1000:.4f} mm ({names[j]}, frame {t}): {'ok' if fine else 'FAILED'}"
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
