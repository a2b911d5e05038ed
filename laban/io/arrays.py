"""npz: a motion as plain arrays, read without unpickling."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np

from laban.errors import FormatError, LabanError
from laban.io.atomic import replacing
from laban.motion.clip import Motion, Segment
from laban.motion.skeleton import Skeleton

_LIMIT = 1 << 30  # bytes that the arrays of one file may unpack to


def write(motion: Motion, path: str | Path) -> None:
    """Write `rotations` (T, J, 4) wxyz joint to parent, `root` (T, 3) m, `fps`, `names`, `parents`, `offsets`
    (J, 3) m, and, for tools that want positions only, `joints` (T, J, 3) m; float32 but the offsets.

    Text segments and passport are JSON in `about`.
    """
    about = {
        "skeleton": motion.skeleton.name,
        "segments": [[s.text, s.start, s.end] for s in motion.segments],
        "passport": motion.passport,
    }
    with replacing(path) as temporary:
        np.savez_compressed(
            temporary,
            rotations=motion.rotations.astype(np.float32),
            root=motion.root.astype(np.float32),
            fps=np.float64(motion.fps),
            names=np.array(motion.skeleton.names),
            parents=np.array(motion.skeleton.parents, np.int32),
            offsets=motion.skeleton.offsets,
            joints=motion.joints().astype(np.float32),
            about=np.array(json.dumps(about)),
        )


def read(path: str | Path) -> Motion:
    """The motion in a file that `write` made, or in one with `joints` (T, 22, 3) metres and `fps` alone.

    Raises: FormatError for anything else; nothing is unpickled.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(item.file_size for item in archive.infolist()) > _LIMIT:
                raise FormatError(f"{path}: unpacks to more than {_LIMIT >> 20} MiB; not a motion of ours.")
        with np.load(path, allow_pickle=False) as file:
            data = {key: file[key] for key in file.files}
        if "rotations" in data:
            about = json.loads(str(data["about"])) if "about" in data else {}
            skeleton = Skeleton(
                str(about.get("skeleton", "npz")),
                tuple(str(n) for n in data["names"]),
                tuple(int(p) for p in data["parents"]),
                data["offsets"],
            )
            segments = tuple(Segment(str(t), float(a), float(b)) for t, a, b in about.get("segments", []))
            passport = about.get("passport")
            return Motion(skeleton, data["rotations"], data["root"], float(data["fps"]), segments, passport)
        return Motion.from_joints(data["joints"], float(data["fps"]))
    except LabanError:
        raise
    except KeyError as error:
        raise FormatError(
            f"{path}: no array {error} in it; expected rotations, root, fps, names, parents, offsets."
        ) from None
    except Exception as error:  # zip, npy, JSON and casting errors of a damaged file
        raise FormatError(f"{path}: not a readable .npz motion ({str(error)[:80]}).") from None
