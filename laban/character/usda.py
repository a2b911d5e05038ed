"""`.usda`: a clip as USD text, with a UsdSkel skeleton, its animation and the skinned meshes, through `usd-core`.

Bones are the joints that a skin of the character moves, in the file's units and axes; blend shapes, textures and
materials other than a plain colour are not carried over. Source: Pixar, UsdSkel schema.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from laban.character.export import Made
from laban.character.skin import Part, colours, parts
from laban.errors import InputError
from laban.io.atomic import replacing
from laban.motion import rotation


def check(path: str | Path) -> None:
    """Raises InputError without the package `usd-core`."""
    if importlib.util.find_spec("pxr") is None:
        raise InputError(f"{path}: .usda needs the package usd-core: pip install 'laban[usd]', or write a .glb.")


def write(made: Made, path: str | Path) -> None:
    """Write a clip as .usda.

    Raises: InputError without the package `usd-core`.
    """
    check(path)
    from pxr import Gf, Sdf, Usd, UsdGeom, UsdSkel, Vt

    clip, rig = made.clip, made.clip.stance.rig
    bones = [n for n in rig.order if n in rig.joints]
    above = {n: next((a for a in rig.above(n)[1:] if a in bones), -1) for n in bones}
    paths = joint_paths([rig.names[n] for n in bones], [bones.index(above[n]) if above[n] >= 0 else -1 for n in bones])
    world = rig.forward(clip.rotations, clip.translations, clip.frames)[:, bones]
    rest = rig.world[bones]
    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetTimeCodesPerSecond(clip.fps)
    stage.SetFramesPerSecond(clip.fps)
    stage.SetStartTimeCode(0)
    stage.SetEndTimeCode(clip.frames - 1)
    root = UsdSkel.Root.Define(stage, "/Character")
    stage.SetDefaultPrim(root.GetPrim())
    skeleton = UsdSkel.Skeleton.Define(stage, "/Character/Skeleton")
    skeleton.CreateJointsAttr(paths)

    def matrices(values: np.ndarray) -> Any:
        return Vt.Matrix4dArray([Gf.Matrix4d(*m.T.ravel().tolist()) for m in values])

    skeleton.CreateBindTransformsAttr(matrices(rest))
    skeleton.CreateRestTransformsAttr(matrices(_local(rest[None], bones, above)[0]))
    animation = UsdSkel.Animation.Define(stage, "/Character/Clip")
    animation.CreateJointsAttr(paths)
    local = _local(world, bones, above)
    scales = np.linalg.norm(local[..., :3, :3], axis=-2)
    turns = rotation.continuous(rotation.from_matrix(local[..., :3, :3] / scales[..., None, :]))
    translations, rotations = animation.CreateTranslationsAttr(), animation.CreateRotationsAttr()
    animation.CreateScalesAttr(Vt.Vec3hArray([Gf.Vec3h(*s.tolist()) for s in scales[0]]))
    for frame in range(clip.frames):
        translations.Set(Vt.Vec3fArray.FromNumpy(local[frame, :, :3, 3].astype(np.float32)), frame)
        rotations.Set(Vt.QuatfArray([Gf.Quatf(*q.tolist()) for q in turns[frame]]), frame)
    binding = UsdSkel.BindingAPI.Apply(skeleton.GetPrim())
    binding.CreateAnimationSourceRel().SetTargets([animation.GetPath()])
    for number, part in enumerate(parts(rig)):
        _mesh(made, part, number, bones, (Gf, Sdf, UsdGeom, UsdSkel, Vt), stage)
    stage.GetRootLayer().customLayerData = {"laban": str(made.passport)}
    with replacing(path) as temporary:
        stage.GetRootLayer().Export(str(temporary))


def joint_paths(names: list[str], above: list[int]) -> list[str]:
    """UsdSkel's joint paths ("Hips/Spine/Neck") of bones with parents before children; names become identifiers."""
    plain = ["".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in name) or "bone" for name in names]
    plain = [name if not name[0].isdigit() else f"_{name}" for name in plain]
    found: list[str] = []
    for number, name in enumerate(plain):
        base = f"{found[above[number]]}/{name}" if above[number] >= 0 else name
        path, count = base, 2
        while path in found:
            path, count = f"{base}_{count}", count + 1
        found.append(path)
    return found


def _local(world: np.ndarray, bones: list[int], above: dict[int, int]) -> np.ndarray:
    """(T, B, 4, 4): bones to their parents, the topmost to the world."""
    out = world.copy()
    for number, bone in enumerate(bones):
        if above[bone] >= 0:
            out[:, number] = np.linalg.inv(world[:, bones.index(above[bone])]) @ world[:, number]
    return out


def _mesh(made: Made, part: Part, number: int, bones: list[int], pxr: tuple[Any, ...], stage: Any) -> None:
    gf, sdf, geometry, skel, vt = pxr
    rig = made.clip.stance.rig
    indices = part.primitive.get("indices")
    corners = rig.document.array(indices)[:, 0] if indices is not None else np.arange(len(part.positions))
    corners = corners[: len(corners) - len(corners) % 3].astype(np.int32)
    mesh = geometry.Mesh.Define(stage, f"/Character/Mesh{number}")
    mesh.CreatePointsAttr(vt.Vec3fArray.FromNumpy(part.at(rig.world).astype(np.float32)))  # the bind pose, in the world
    mesh.CreateFaceVertexIndicesAttr(vt.IntArray.FromNumpy(corners))
    mesh.CreateFaceVertexCountsAttr(vt.IntArray.FromNumpy(np.full(len(corners) // 3, 3, np.int32)))
    mesh.CreateSubdivisionSchemeAttr("none")
    tint = mesh.CreateDisplayColorPrimvar(geometry.Tokens.vertex)
    linear = colours(rig, part) ** 2.2
    tint.Set(vt.Vec3fArray.FromNumpy(linear.astype(np.float32)))
    binding = skel.BindingAPI.Apply(mesh.GetPrim())
    places = np.array([bones.index(n) if n in bones else 0 for n in range(len(rig.names))], np.int32)[part.nodes()]
    weights = part.weights.astype(np.float32)
    binding.CreateJointIndicesPrimvar(False, 4).Set(vt.IntArray.FromNumpy(places.ravel()))
    binding.CreateJointWeightsPrimvar(False, 4).Set(vt.FloatArray.FromNumpy(weights.ravel()))
    binding.CreateGeomBindTransformAttr(gf.Matrix4d(1.0))
    binding.CreateSkeletonRel().SetTargets([sdf.Path("/Character/Skeleton")])
