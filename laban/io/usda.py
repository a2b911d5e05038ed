"""`.usda`: an `Asset` as USD text, with a UsdSkel skeleton, its animation and the skinned meshes, through `usd-core`.

Source: Pixar, UsdSkel schema (https://openusd.org/release/api/usd_skel_page_front.html).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from laban.errors import InputError
from laban.figure.asset import Asset
from laban.figure.mesh import Mesh
from laban.io.atomic import replacing


def check(path: str | Path) -> None:
    """Raises InputError without the package `usd-core`."""
    if importlib.util.find_spec("pxr") is None:
        raise InputError(f"{path}: .usda needs the package usd-core: pip install 'laban[usd]', or write a .glb.")


def write(asset: Asset, path: str | Path) -> None:
    """Write a skinned, animated body as .usda.

    Raises: InputError without the package `usd-core`.
    """
    check(path)
    from pxr import Gf, Sdf, Usd, UsdGeom, UsdSkel, Vt

    paths = joint_paths(asset.bones, asset.parents)
    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetTimeCodesPerSecond(asset.fps)
    stage.SetFramesPerSecond(asset.fps)
    stage.SetStartTimeCode(0)
    stage.SetEndTimeCode(asset.frames - 1)
    root = UsdSkel.Root.Define(stage, "/Character")
    stage.SetDefaultPrim(root.GetPrim())
    skeleton = UsdSkel.Skeleton.Define(stage, "/Character/Skeleton")
    skeleton.CreateJointsAttr(paths)

    def matrices(values: np.ndarray) -> Any:
        return Vt.Matrix4dArray([Gf.Matrix4d(*m.T.ravel().tolist()) for m in values])

    skeleton.CreateBindTransformsAttr(matrices(asset.rest))
    skeleton.CreateRestTransformsAttr(matrices(asset.rest_to_parents()))
    animation = UsdSkel.Animation.Define(stage, "/Character/Clip")
    animation.CreateJointsAttr(paths)
    translations, rotations = animation.CreateTranslationsAttr(), animation.CreateRotationsAttr()
    animation.CreateScalesAttr(Vt.Vec3hArray([Gf.Vec3h(*s.tolist()) for s in asset.scales]))
    for frame in range(asset.frames):
        translations.Set(Vt.Vec3fArray.FromNumpy(asset.translations[frame].astype(np.float32)), frame)
        rotations.Set(Vt.QuatfArray([Gf.Quatf(*q.tolist()) for q in asset.rotations[frame]]), frame)
    binding = UsdSkel.BindingAPI.Apply(skeleton.GetPrim())
    binding.CreateAnimationSourceRel().SetTargets([animation.GetPath()])
    for number, mesh in enumerate(asset.meshes):
        _mesh(mesh, number, (Gf, Sdf, UsdGeom, UsdSkel, Vt), stage)
    stage.GetRootLayer().customLayerData = {"laban": str(asset.passport)}
    with replacing(path) as temporary:
        stage.GetRootLayer().Export(str(temporary))


def joint_paths(names: Sequence[str], above: Sequence[int]) -> list[str]:
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


def _mesh(content: Mesh, number: int, pxr: tuple[Any, ...], stage: Any) -> None:
    gf, sdf, geometry, skel, vt = pxr
    corners = content.faces.reshape(-1).astype(np.int32)
    mesh = geometry.Mesh.Define(stage, f"/Character/Mesh{number}")
    mesh.CreatePointsAttr(vt.Vec3fArray.FromNumpy(content.vertices.astype(np.float32)))  # the bind pose, in the world
    mesh.CreateFaceVertexIndicesAttr(vt.IntArray.FromNumpy(corners))
    mesh.CreateFaceVertexCountsAttr(vt.IntArray.FromNumpy(np.full(len(content.faces), 3, np.int32)))
    mesh.CreateSubdivisionSchemeAttr("none")
    tint = mesh.CreateDisplayColorPrimvar(geometry.Tokens.vertex)
    linear = content.colours**2.2
    tint.Set(vt.Vec3fArray.FromNumpy(linear.astype(np.float32)))
    binding = skel.BindingAPI.Apply(mesh.GetPrim())
    weights = content.weights.astype(np.float32)
    binding.CreateJointIndicesPrimvar(False, 4).Set(vt.IntArray.FromNumpy(content.joints.ravel().astype(np.int32)))
    binding.CreateJointWeightsPrimvar(False, 4).Set(vt.FloatArray.FromNumpy(weights.ravel()))
    binding.CreateGeomBindTransformAttr(gf.Matrix4d(1.0))
    binding.CreateSkeletonRel().SetTargets([sdf.Path("/Character/Skeleton")])
