"""Where Blender puts the bones and skinned vertices of an FBX file, by either of its importers. Called by fbx.py:

python-with-bpy fbx_blender.py read import_scene|wm FILE TIMES.npy OUT.npz
python-with-bpy fbx_blender.py write IN.glb OUT.fbx FPS
python-with-bpy fbx_blender.py picture FILE FRAME OUT.png
"""

from __future__ import annotations

import sys

import bpy
import numpy as np
from mathutils import Vector


def upright(places: np.ndarray) -> np.ndarray:
    """Blender's Z up to Y up."""
    return places[..., [0, 2, 1]] * np.array([1.0, 1.0, -1.0])


def load(way: str, file: str) -> None:
    """Import a file into an empty scene."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    if way == "wm":
        bpy.ops.wm.fbx_import(filepath=file)
    else:
        bpy.ops.import_scene.fbx(filepath=file)


def read(way: str, file: str, times: str, out: str) -> None:
    load(way, file)
    scene = bpy.context.scene
    fps = scene.render.fps / scene.render.fps_base
    armatures = [o for o in scene.objects if o.type == "ARMATURE"]
    meshes = [o for o in scene.objects if o.type == "MESH"]
    names = [b.name for a in armatures for b in a.pose.bones]
    joints, vertices = [], []
    for moment in np.load(times):
        frame = 1 + float(moment) * fps  # Blender counts the first key as frame 1
        scene.frame_set(int(np.floor(frame + 1e-6)), subframe=max(frame - np.floor(frame + 1e-6), 0.0))
        joints.append([(a.matrix_world @ b.head)[:] for a in armatures for b in a.pose.bones])
        graph = bpy.context.evaluated_depsgraph_get()
        points = []
        for thing in meshes:
            seen = thing.evaluated_get(graph)
            own = np.empty(3 * len(seen.data.vertices), np.float32)
            seen.data.vertices.foreach_get("co", own)
            world = np.array(thing.matrix_world)
            points.append(own.reshape(-1, 3) @ world[:3, :3].T + world[:3, 3])
        vertices.append(np.concatenate(points) if points else np.zeros((0, 3)))
    pictures = [image.name for image in bpy.data.images if image.packed_file]
    materials = [slot.material.name for thing in meshes for slot in thing.material_slots if slot.material]
    np.savez(
        out, bones=np.array(names), joints=upright(np.array(joints)), vertices=upright(np.array(vertices)),
        pictures=np.array(pictures), materials=np.array(materials),
    )  # fmt: skip


def write(source: str, target: str, fps: str) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps = max(1, round(float(fps)))
    scene.render.fps_base = scene.render.fps / float(fps)
    bpy.ops.import_scene.gltf(filepath=source)
    for thing in [o for o in scene.objects if o.name.startswith("Icosphere")]:
        bpy.data.objects.remove(thing)
    actions = [a for a in bpy.data.actions]
    scene.frame_start, scene.frame_end = 0, max([int(a.frame_range[1]) for a in actions] or [1])
    bpy.ops.export_scene.fbx(
        filepath=target, object_types={"ARMATURE", "MESH", "EMPTY"}, add_leaf_bones=False, path_mode="COPY",
        embed_textures=True, bake_anim=True, bake_anim_use_all_bones=True, bake_anim_use_nla_strips=False,
        bake_anim_use_all_actions=False, bake_anim_simplify_factor=0.0,
    )  # fmt: skip


def picture(file: str, frame: str, out: str) -> None:
    load("import_scene", file)
    scene = bpy.context.scene
    scene.frame_set(int(frame))
    graph = bpy.context.evaluated_depsgraph_get()
    corners = []
    for thing in [o for o in scene.objects if o.type == "MESH"]:
        seen = thing.evaluated_get(graph)
        corners += [thing.matrix_world @ Vector(v.co) for v in seen.data.vertices]
    places = np.array(corners)
    low, high = places.min(0), places.max(0)
    size = float((high - low).max())
    middle = Vector(((low + high) / 2).tolist())
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    scene.collection.objects.link(camera)
    camera.location = middle + Vector((0.9, -1.9, 0.35)) * size
    camera.rotation_euler = (middle - camera.location).to_track_quat("-Z", "Y").to_euler()
    sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
    sun.data.energy = 4.0
    sun.rotation_euler = (0.8, 0.2, 0.6)
    scene.collection.objects.link(sun)
    scene.world = bpy.data.worlds.new("world")
    scene.world.color = (0.6, 0.6, 0.6)
    scene.camera = camera
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 8
    scene.cycles.device = "CPU"
    scene.render.resolution_x, scene.render.resolution_y = 360, 480
    scene.render.filepath = out
    bpy.ops.render.render(write_still=True)


if __name__ == "__main__":
    {"read": read, "write": write, "picture": picture}[sys.argv[1]](*sys.argv[2:])
