"""Meshes of an FBX scene: geometry, skin, materials with embedded pictures, blend shapes."""

from __future__ import annotations

import numpy as np

from laban.figure.look import Look, Material, Picture
from laban.figure.mesh import Mesh
from laban.io.fbx.container import Node
from laban.io.fbx.scene import CENTIMETRES, Scene, columns

_SLOTS = {"colour": "DiffuseColor", "normal": "NormalMap", "glow": "EmissiveColor"}
_LEAST = 1e-7  # weights below are none


def add_mesh(scene: Scene, name: str, mesh: Mesh, bones: list[int], world: np.ndarray) -> int:
    """A skinned mesh.

    Args:
        scene: where to.
        name: of the mesh.
        mesh: in the pose that it is bound in, metres, with a look.
        bones: identities of the bones, in the order that the mesh numbers them.
        world: (J, 4, 4) the bones in that pose, centimetres.
    Returns: the identity of its model.
    """
    look = mesh.look
    assert look is not None
    model = scene.model(name, "Mesh", 0)
    geometry, node = scene.add("Geometry", name, "Geometry", "Mesh")
    node.add("GeometryVersion", 124)
    node.add("Vertices", (mesh.vertices * CENTIMETRES).astype("<f8").ravel())
    corners = mesh.faces.astype("<i4").copy()
    corners[:, -1] = -corners[:, -1] - 1
    node.add("PolygonVertexIndex", corners.ravel())
    _layers(node, mesh, look)
    scene.connect(geometry, model)
    known: dict[int, int] = {}
    for material in look.materials:
        scene.connect(_material(scene, material, known), model)
    _skin(scene, geometry, mesh, bones, world)
    if look.shapes:
        _shapes(scene, geometry, name, look)
    return model


def _layers(node: Node, mesh: Mesh, look: Look) -> None:
    corners = mesh.faces.ravel()
    kinds = ["LayerElementNormal", "LayerElementMaterial"]
    normals = node.add("LayerElementNormal", 0)
    _head(normals, 101, "ByPolygonVertex", "Direct")
    normals.add("Normals", mesh.normals[corners].astype("<f8").ravel())
    if look.places is not None:
        kinds.append("LayerElementUV")
        places = node.add("LayerElementUV", 0)
        _head(places, 101, "ByPolygonVertex", "IndexToDirect", "UVMap")
        places.add("UV", (look.places * (1, -1) + (0, 1)).astype("<f8").ravel())
        places.add("UVIndex", corners.astype("<i4"))
    same = len(look.materials) == 1
    materials = node.add("LayerElementMaterial", 0)
    _head(materials, 101, "AllSame" if same else "ByPolygon", "IndexToDirect")
    materials.add("Materials", np.zeros(1, "<i4") if same else look.of_face.astype("<i4"))
    layer = node.add("Layer", 0)
    layer.add("Version", 100)
    for kind in kinds:
        element = layer.add("LayerElement")
        element.add("Type", kind)
        element.add("TypedIndex", 0)


def _head(node: Node, version: int, mapping: str, reference: str, name: str = "") -> None:
    node.add("Version", version)
    node.add("Name", name)
    node.add("MappingInformationType", mapping)
    node.add("ReferenceInformationType", reference)


def _skin(scene: Scene, geometry: int, mesh: Mesh, bones: list[int], world: np.ndarray) -> None:
    skin, node = scene.add("Deformer", "Skin", "Deformer", "Skin")
    node.add("Version", 101)
    node.add("Link_DeformAcuracy", 50.0)
    node.add("SkinningType", "Linear")
    scene.connect(skin, geometry)
    vertices = np.repeat(np.arange(len(mesh.vertices)), mesh.joints.shape[1])
    joints, weights = mesh.joints.ravel(), mesh.weights.ravel()
    used = weights > _LEAST
    order = np.lexsort((vertices[used], joints[used]))
    vertices, joints, weights = vertices[used][order], joints[used][order], weights[used][order]
    starts = np.searchsorted(joints, np.arange(len(bones) + 1))
    for bone, model in enumerate(bones):
        own = slice(starts[bone], starts[bone + 1])
        first, place = np.unique(vertices[own], return_inverse=True)  # a vertex may name a bone twice
        if not len(first):
            continue
        cluster, node = scene.add("Deformer", "", "SubDeformer", "Cluster")
        node.add("Version", 100)
        node.add("UserData", "", "")
        node.add("Indexes", first.astype("<i4"))
        node.add("Weights", np.bincount(place, weights[own]).astype("<f8"))
        node.add("Transform", columns(np.linalg.inv(world[bone])))  # the mesh, in the bone: it lies in the world
        node.add("TransformLink", columns(world[bone]))
        scene.connect(cluster, skin)
        scene.connect(model, cluster)


def _material(scene: Scene, material: Material, known: dict[int, int]) -> int:
    identity, node = scene.add("Material", material.name, "Material", "")
    node.add("Version", 102)
    node.add("ShadingModel", "phong")
    node.add("MultiLayer", 0)
    *colour, opacity = map(float, material.colour)
    glow = tuple(map(float, material.glow))
    node.table(
        ("DiffuseColor", "Color", "", "A", *colour), ("DiffuseFactor", "Number", "", "A", 1.0),
        ("EmissiveColor", "Color", "", "A", *glow), ("EmissiveFactor", "Number", "", "A", float(any(glow))),
        ("AmbientColor", "Color", "", "A", 0.0, 0.0, 0.0), ("SpecularColor", "Color", "", "A", 0.1, 0.1, 0.1),
        ("SpecularFactor", "Number", "", "A", 0.25), ("ShininessExponent", "Number", "", "A", 10.0),
        ("TransparentColor", "Color", "", "A", 1.0, 1.0, 1.0),
        ("TransparencyFactor", "Number", "", "A", 1.0 - opacity), ("Opacity", "double", "Number", "", opacity),
    )  # fmt: skip
    for slot, picture in material.pictures.items():
        if picture.suffix:
            scene.connect(_texture(scene, picture, known), identity, _SLOTS[slot])
    return identity


def _texture(scene: Scene, picture: Picture, known: dict[int, int]) -> int:
    if id(picture.data) in known:
        return known[id(picture.data)]
    file = picture.name + picture.suffix
    video, node = scene.add("Video", picture.name, "Video", "Clip")
    node.add("Type", "Clip")
    node.table(("Path", "KString", "XRefUrl", "", file))
    node.add("UseMipMap", 0)
    node.add("Filename", file)
    node.add("RelativeFilename", file)
    node.add("Content", picture.data)
    texture, node = scene.add("Texture", picture.name, "Texture", "")
    node.add("Type", "TextureVideoClip")
    node.add("Version", 202)
    node.add("TextureName", f"{picture.name}\0\x01Texture")
    node.table(
        ("UVSet", "KString", "", "", "UVMap"), ("UseMaterial", "bool", "", "", 1), ("UseMipMap", "bool", "", "", 0)
    )
    node.add("Media", f"{picture.name}\0\x01Video")
    node.add("FileName", file)
    node.add("RelativeFilename", file)
    node.add("ModelUVTranslation", 0.0, 0.0)
    node.add("ModelUVScaling", 1.0, 1.0)
    node.add("Texture_Alpha_Source", "None")
    node.add("Cropping", 0, 0, 0, 0)
    scene.connect(video, texture)
    known[id(picture.data)] = texture
    return texture


def _shapes(scene: Scene, geometry: int, name: str, look: Look) -> None:
    blend, node = scene.add("Deformer", name, "Deformer", "BlendShape")
    node.add("Version", 100)
    scene.connect(blend, geometry)
    for shape in look.shapes:
        channel, node = scene.add("Deformer", shape.name, "SubDeformer", "BlendShapeChannel")
        node.add("Version", 100)
        node.add("DeformPercent", 100.0 * shape.weight)
        node.add("FullWeights", np.array([100.0], "<f8"))
        scene.connect(channel, blend)
        target, node = scene.add("Geometry", shape.name, "Geometry", "Shape")
        node.add("Version", 100)
        moved = np.flatnonzero(np.abs(shape.moves).max(-1) > 0)
        moved = moved if len(moved) else np.zeros(1, int)
        node.add("Indexes", moved.astype("<i4"))
        node.add("Vertices", (shape.moves[moved] * CENTIMETRES).astype("<f8").ravel())
        node.add("Normals", np.zeros(3 * len(moved), "<f8"))
        scene.connect(target, channel)
