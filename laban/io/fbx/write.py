"""FBX out, without an SDK: an `Asset` as binary 7400 in centimetres, with skin, materials, blend shapes, animation.

What the file holds:

- bones as limb nodes at the top of the scene, their rest poses as local rotations of order XYZ, no pre-rotations and
  no pivots; uniform scales of the source are taken into the places, so that bones are not scaled;
- each mesh in the world's axes, in the pose that it is bound in, with a cluster per bone and the bind pose;
- Phong materials whose colours are linear as Blender's are, their pictures embedded;
- one stack of animation: keys at frame / fps, rotations as continuous cubic curves (`curves`), translations of the
  bones that leave their places as linear ones; the passport is a property of the stack.

Source: Blender developers 2013 (see `container`); the names and values of objects are those that files of the SDK have.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from laban.figure.asset import Asset, asset_of
from laban.figure.mesh import Mesh, look_of
from laban.io import about
from laban.io.atomic import replacing
from laban.io.fbx import animation, container, curves, surfaces
from laban.io.fbx.scene import CENTIMETRES, Scene
from laban.motion import rotation
from laban.motion.motion import Motion

TOLERANCE = 1e-5  # metres that what hangs on a bone may be off between frames, by the bone's own curves


def write(motion: Motion, path: str | Path, *, mesh: Mesh | None = None, bare: bool = False) -> None:
    """Write a motion as an FBX: skeleton, skinned mannequin, materials, animation, passport.

    Args:
        motion: any skeleton.
        path: where to; the file is replaced as a whole or not at all.
        mesh: another skinned mesh in the skeleton's rest pose; default `mesh.mannequin(motion.skeleton)`.
        bare: write the skeleton alone.
    Raises: InputError for a folder that cannot be written to, or a passport that JSON cannot hold.
    """
    asset = asset_of(motion, mesh, Path(path).stem)
    write_asset(asset if not bare else asset.without_meshes(), path)


def write_asset(asset: Asset, path: str | Path) -> None:
    """Write a skinned, animated body as an FBX; see the module. Raises: as `write`."""
    passport = about.dumps(asset.passport, path).decode()
    asset = unscaled(asset)
    made = Scene(asset.name, asset.fps, asset.frames, passport)
    rest = asset.rest_to_parents()
    bones: list[int] = []
    for bone, name in enumerate(asset.bones):
        parent = bones[asset.parents[bone]] if asset.parents[bone] >= 0 else 0
        place, turn = rest[bone, :3, 3] * CENTIMETRES, _rest_angles(rest[bone])
        bones.append(made.bone(name, parent, place, turn, asset.scales[bone]))
    taken = set(asset.bones)
    world = asset.rest.copy()
    world[:, :3, 3] *= CENTIMETRES
    meshes = []
    for number, mesh in enumerate(asset.meshes):
        look = look_of(mesh, "mannequin" if number == 0 else f"mesh{number}")
        name, again = look.name, 2
        while name in taken:
            name, again = f"{look.name}_{again}", again + 1
        taken.add(name)
        meshes.append(surfaces.add_mesh(made, name, replace(mesh, look=look), bones, world))
    if meshes:
        made.bind_pose([(model, np.eye(4)) for model in meshes] + list(zip(bones, world, strict=True)))
    _animate(made, asset, bones)
    data = container.encode(made.file())
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def unscaled(asset: Asset) -> Asset:
    """The same body with bones of scale 1, where they are scaled evenly; else the body as it is."""
    linear = asset.rest[:, :3, :3]
    sizes = np.cbrt(np.linalg.det(linear))
    if not (sizes > 1e-9).all():
        return asset
    plain = linear / sizes[:, None, None]
    if np.abs(plain.transpose(0, 2, 1) @ plain - np.eye(3)).max() > 1e-4:
        return asset
    above = np.array([sizes[parent] if parent >= 0 else 1.0 for parent in asset.parents])
    rest = asset.rest.copy()
    rest[:, :3, :3] = rotation.to_matrix(rotation.from_matrix(plain))
    return replace(
        asset, rest=rest, offsets=asset.offsets * above[:, None], translations=asset.translations * above[:, None],
        scales=np.ones_like(asset.scales),
    )  # fmt: skip


def _rest_angles(local: np.ndarray) -> np.ndarray:
    """(3,) degrees of a bone at rest in its parent, (4, 4)."""
    turn = rotation.from_matrix(local[:3, :3] / np.maximum(np.linalg.norm(local[:3, :3], axis=0), 1e-12))
    return np.degrees(curves.euler(turn[None])[0])


def _animate(made: Scene, asset: Asset, bones: list[int]) -> None:
    reach = np.maximum(_reach(asset), 1e-3)
    layer = animation.stack(made, asset.frames)
    for bone, model in enumerate(bones):
        track = asset.translations[:, bone]
        if np.abs(track - asset.offsets[bone]).max() > 1e-6 * reach.max():
            animation.animate(made, layer, model, animation.travel(track * CENTIMETRES))
        animation.animate(made, layer, model, animation.turning(asset.rotations[:, bone], TOLERANCE / reach[bone]))


def _reach(asset: Asset) -> np.ndarray:
    """(J,) how far from each bone something is that it carries, file units; more rather than less."""
    reach = np.zeros(len(asset.bones))
    for mesh in asset.meshes:
        for column in range(mesh.joints.shape[1]):
            moved = mesh.weights[:, column] > 0.01
            joints = mesh.joints[moved, column]
            np.maximum.at(reach, joints, np.linalg.norm(mesh.vertices[moved] - asset.rest[joints, :3, 3], axis=-1))
    for bone in range(len(asset.bones) - 1, -1, -1):
        parent = asset.parents[bone]
        if parent >= 0:
            length = np.linalg.norm(asset.rest[bone, :3, 3] - asset.rest[parent, :3, 3])
            reach[parent] = max(reach[parent], length + reach[bone])
    return reach
