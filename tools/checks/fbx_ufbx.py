"""Where ufbx puts the bones and skinned vertices of an FBX file. Called by fbx.py: FILE TIMES.npy OUT.npz"""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any

import numpy as np
import ufbx

_keep = ctypes.pythonapi.Py_IncRef
_keep.argtypes = [ctypes.py_object]


def own(thing: Any) -> Any:
    """Hold a reference that the package does not (0.0.5), for as long as the process runs."""
    _keep(thing)
    return thing


def main() -> None:
    scene = own(ufbx.load_file(sys.argv[1]))
    anim, metres = own(scene.anim), scene.settings.unit_meters
    bones = [k for k in range(len(scene.nodes)) if own(scene.nodes[k]).bone is not None]
    names = [own(scene.nodes[k]).name for k in bones]
    joints, vertices = [], []
    for moment in np.load(sys.argv[2]):
        now = own(scene.evaluate(anim, float(moment), evaluate_skinning=True))
        joints.append([own(now.nodes[k]).node_to_world.c3 for k in bones])
        points = [np.zeros((0, 3))]
        for k in range(len(now.meshes)):
            mesh = own(now.meshes[k])
            places = np.array(list(mesh.skinned_position.values))
            if mesh.skinned_is_local:
                raise SystemExit("a mesh without a skin")
            points.append(places)
        vertices.append(np.concatenate(points))
    np.savez(sys.argv[3], bones=np.array(names), joints=np.array(joints) * metres, vertices=np.array(vertices) * metres)
    sys.stdout.flush()
    os._exit(0)


main()
