"""`.fbx`, through a Blender that is on the machine: the animation goes out as a GLB, Blender turns it into FBX.

Blender is looked for in this order: what the environment variable LABAN_BLENDER names (a Blender program, or a Python
that has `bpy`), `blender` on the path, a `bpy` in this Python. It runs as a process of its own and is no dependency.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from laban.errors import InputError
from laban.io import gltf_document
from laban.io.atomic import replacing
from laban.io.gltf_document import Document

VARIABLE = "LABAN_BLENDER"
SECONDS = 600
SCRIPT = """
import sys
import bpy
source, target, fps, frames = sys.argv[-4:]
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.render.fps = max(1, round(float(fps)))
scene.render.fps_base = scene.render.fps / float(fps)
scene.frame_start, scene.frame_end = 0, int(frames) - 1
bpy.ops.import_scene.gltf(filepath=source)
for thing in [o for o in scene.objects if o.name.startswith("Icosphere")]:
    bpy.data.objects.remove(thing)
bpy.ops.export_scene.fbx(filepath=target, object_types={"ARMATURE", "MESH", "EMPTY"}, add_leaf_bones=False,
                         path_mode="COPY", embed_textures=True, bake_anim=True, bake_anim_use_all_bones=True,
                         bake_anim_use_nla_strips=False, bake_anim_use_all_actions=False, bake_anim_simplify_factor=0.0)
"""


def blender() -> list[str]:
    """The words that run a script in a Blender of this machine, up to the script.

    Raises: InputError if there is none, saying how to get one.
    """
    named = os.environ.get(VARIABLE)
    if named:
        program = shutil.which(named)
        if program is None:
            raise InputError(
                f"{VARIABLE} names {named!r}, which is no program. Set it to a Blender, or a Python with bpy."
            )
        return _words(program)
    found = shutil.which("blender")
    if found:
        return _words(found)
    if importlib.util.find_spec("bpy"):
        return [sys.executable]
    raise InputError(
        ".fbx is written by Blender, and none was found. Install Blender, or `pip install bpy==5.0.1` into an "
        f"environment of its own, and set {VARIABLE} to the program; or write a .glb, which needs neither."
    )


def _words(program: str) -> list[str]:
    is_python = Path(program).name.startswith("python")
    return [program] if is_python else [program, "--background", "--factory-startup", "--python"]


def write(document: Document, path: str | Path, fps: float, frames: int) -> None:
    """Write the first animation of a glTF document as FBX.

    Args:
        document: a skinned character with its animation.
        path: where to.
        fps: frames per second of the animation.
        frames: how many it has.
    Raises: InputError without Blender, or if Blender fails; it says what Blender said last.
    """
    words = blender()
    with tempfile.TemporaryDirectory() as folder, replacing(path) as temporary:
        script, glb = Path(folder) / "to_fbx.py", Path(folder) / "clip.glb"
        script.write_text(SCRIPT)
        gltf_document.write(document, glb)
        target = Path(folder) / "clip.fbx"
        dashes = [] if len(words) == 1 else ["--"]
        command = [*words, str(script), *dashes, str(glb), str(target), str(fps), str(frames)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise InputError(f"{path}: Blender could not be run ({str(error)[:80]}).") from None
        if not target.is_file():
            last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["nothing"]
            raise InputError(f"{path}: Blender made no FBX; it said: {last[0][:160]}")
        shutil.copyfile(target, temporary)
