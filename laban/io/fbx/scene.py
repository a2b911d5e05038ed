"""The objects of an FBX scene, how they hang together, and what stands around them in the file."""

from __future__ import annotations

from collections import Counter
from itertools import count

import numpy as np

from laban.io.fbx.container import CREATED, FILE_ID, VERSION, Long, Node
from laban.version import __version__

CENTIMETRES = 100.0
SECOND = 46_186_158_000
"""Units of time in a second, in files up to header version 1003."""
_TIME_MODES = {120: 1, 100: 2, 60: 3, 50: 4, 48: 5, 30: 6, 25: 10, 24: 11}
_CUSTOM = 14


class Scene:
    """A scene in the making.

    Args:
        name: of its animation.
        fps: frames per second, which the file's time line shows.
        frames: of the animation.
        passport: JSON, kept with the animation.
    """

    def __init__(self, name: str, fps: float, frames: int, passport: str):
        self.name, self.fps, self.passport = name, fps, passport
        self.end = Long(self.moment(max(frames - 1, 0)))
        self._objects = Node("Objects")
        self._connections = Node("Connections")
        self._ids = count(1_000_001)

    def moment(self, frame: float) -> int:
        """The time of a frame."""
        return round(frame / self.fps * SECOND)

    def add(self, kind: str, name: str, family: str, sort: str) -> tuple[int, Node]:
        """A new object, for example ("Model", "Hips", "Model", "LimbNode"). Returns: its identity and node."""
        identity = next(self._ids)
        return identity, self._objects.add(kind, Long(identity), f"{name}\0\x01{family}", sort)

    def connect(self, child: int, parent: int, prop: str = "") -> None:
        """Hang an object on another one (0: the scene), or on one of its properties."""
        words = ("OP", Long(child), Long(parent), prop) if prop else ("OO", Long(child), Long(parent))
        self._connections.add("C", *words)

    def model(self, name: str, sort: str, parent: int, rows: tuple[tuple[object, ...], ...] = ()) -> int:
        """A place in the scene: "LimbNode" for a bone, "Mesh". Returns: its identity."""
        identity, node = self.add("Model", name, "Model", sort)
        node.add("Version", 232)
        node.table(
            ("RotationActive", "bool", "", "", 1), ("InheritType", "enum", "", "", 1),
            ("ScalingMax", "Vector3D", "Vector", "", 0.0, 0.0, 0.0),
            ("DefaultAttributeIndex", "int", "Integer", "", 0), *rows,
        )  # fmt: skip
        node.add("Shading", True)
        node.add("Culling", "CullingOff")
        self.connect(identity, parent)
        return identity

    def bone(self, name: str, parent: int, place: np.ndarray, turn: np.ndarray, scale: np.ndarray) -> int:
        """A bone at rest in its parent.

        Args:
            name: of the bone.
            parent: identity of the bone that it hangs on, 0 for the scene.
            place: (3,) centimetres.
            turn: (3,) degrees about x, y, z.
            scale: (3,).
        Returns: its identity.
        """
        rows = tuple(
            (f"Lcl {what}", f"Lcl {what}", "", "A", *map(float, values))
            for what, values in (("Translation", place), ("Rotation", turn), ("Scaling", scale))
        )
        model = self.model(name, "LimbNode", parent, rows)
        attribute, node = self.add("NodeAttribute", name, "NodeAttribute", "LimbNode")
        node.table(("Size", "double", "Number", "", 5.0))
        node.add("TypeFlags", "Skeleton")
        self.connect(attribute, model)
        return model

    def bind_pose(self, places: list[tuple[int, np.ndarray]]) -> None:
        """The pose in which meshes were bound: of meshes, bones and all that these hang on, (4, 4) to the world."""
        _, node = self.add("Pose", "BindPose", "Pose", "BindPose")
        node.add("Type", "BindPose")
        node.add("Version", 100)
        node.add("NbPoseNodes", len(places))
        for model, world in places:
            entry = node.add("PoseNode")
            entry.add("Node", Long(model))
            entry.add("Matrix", columns(world))

    def file(self) -> list[Node]:
        """The nodes at the top of the file."""
        kinds = Counter(node.name for node in self._objects.children)
        definitions = Node("Definitions")
        definitions.add("Version", 100)
        definitions.add("Count", sum(kinds.values()) + 1)
        for kind, number in (("GlobalSettings", 1), *sorted(kinds.items())):
            definitions.add("ObjectType", kind).add("Count", number)
        takes = Node("Takes")
        takes.add("Current", self.name)
        take = takes.add("Take", self.name)
        take.add("FileName", f"{self.name}.tak")
        for span in ("LocalTime", "ReferenceTime"):
            take.add(span, Long(0), self.end)
        return [
            self._header(), Node("FileId", (FILE_ID,)), Node("CreationTime", (CREATED,)),
            Node("Creator", (f"Laban {__version__}",)), self._settings(), self._documents(),
            Node("References", closed=True), definitions, self._objects, self._connections, takes,
        ]  # fmt: skip

    def _header(self) -> Node:
        header = Node("FBXHeaderExtension")
        header.add("FBXHeaderVersion", 1003)
        header.add("FBXVersion", VERSION)
        header.add("EncryptionType", 0)
        stamp = header.add("CreationTimeStamp")
        for name, value in zip(
            ("Version", "Year", "Month", "Day", "Hour", "Minute", "Second", "Millisecond"),
            (1000, 1970, 1, 1, 10, 0, 0, 0), strict=True,
        ):  # fmt: skip
            stamp.add(name, value)
        header.add("Creator", f"Laban {__version__}")
        info = header.add("SceneInfo", "GlobalInfo\0\x01SceneInfo", "UserData")
        info.add("Type", "UserData")
        info.add("Version", 100)
        about = info.add("MetaData")
        about.add("Version", 100)
        for name in ("Title", "Subject", "Author", "Keywords", "Revision", "Comment"):
            about.add(name, "")
        rows: list[tuple[object, ...]] = [
            (name, "KString", "Url", "", "") for name in ("DocumentUrl", "SrcDocumentUrl")
        ]
        for side in ("Original", "LastSaved"):
            rows.append((side, "Compound", "", ""))
            for what, said in (
                ("ApplicationVendor", "Laban"), ("ApplicationName", "Laban"), ("ApplicationVersion", __version__),
            ):  # fmt: skip
                rows.append((f"{side}|{what}", "KString", "", "", said))
        info.table(*rows)
        return header

    def _settings(self) -> Node:
        settings = Node("GlobalSettings")
        settings.add("Version", 1000)
        mode = _TIME_MODES.get(int(self.fps), _CUSTOM) if float(self.fps).is_integer() else _CUSTOM
        settings.table(
            *((name, "int", "Integer", "", value) for name, value in (
                ("UpAxis", 1), ("UpAxisSign", 1), ("FrontAxis", 2), ("FrontAxisSign", 1), ("CoordAxis", 0),
                ("CoordAxisSign", 1), ("OriginalUpAxis", -1), ("OriginalUpAxisSign", 1),
            )),
            ("UnitScaleFactor", "double", "Number", "", 1.0), ("OriginalUnitScaleFactor", "double", "Number", "", 1.0),
            ("AmbientColor", "ColorRGB", "Color", "", 0.0, 0.0, 0.0),
            ("DefaultCamera", "KString", "", "", "Producer Perspective"), ("TimeMode", "enum", "", "", mode),
            ("TimeSpanStart", "KTime", "Time", "", Long(0)), ("TimeSpanStop", "KTime", "Time", "", self.end),
            ("CustomFrameRate", "double", "Number", "", float(self.fps)),
        )  # fmt: skip
        return settings

    def _documents(self) -> Node:
        documents = Node("Documents")
        documents.add("Count", 1)
        document = documents.add("Document", Long(next(self._ids)), "Scene", "Scene")
        document.table(("SourceObject", "object", "", ""), ("ActiveAnimStackName", "KString", "", "", self.name))
        document.add("RootNode", Long(0))
        return documents


def columns(matrix: np.ndarray) -> np.ndarray:
    """(16,) float64 of a matrix (4, 4), column after column."""
    return matrix.T.ravel().astype("<f8")
