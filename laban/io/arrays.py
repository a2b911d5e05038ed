"""npz: a motion as plain arrays, read without unpickling."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from laban.errors import FormatError, LabanError
from laban.io import about, poses
from laban.io.atomic import replacing
from laban.motion.bearings import settled
from laban.motion.motion import Motion
from laban.motion.skeleton import Skeleton

_LIMIT = 1 << 28  # bytes that the arrays of one file may unpack to


def write(motion: Motion, path: str | Path) -> None:
    """Write `rotations` (T, J, 4) wxyz joint to parent, `root` (T, 3) m, `fps`, `names`, `parents`, `offsets`
    (J, 3) m, and, for tools that want positions only, `joints` (T, J, 3) m; float32 but the offsets.

    The skeleton's name, text segments and passport are JSON in `about`.
    Raises: InputError for a folder that cannot be written to, or a passport that JSON cannot hold.
    """
    said = about.dumps({"skeleton": motion.skeleton.name, **about.about(motion)}, path)
    with replacing(path) as temporary, open(temporary, "wb") as file:  # a name would get ".npz" after ".NPZ"
        np.savez_compressed(
            file,
            rotations=motion.rotations.astype(np.float32),
            root=motion.root.astype(np.float32),
            fps=np.float64(motion.fps),
            names=np.array(motion.skeleton.names),
            parents=np.array(motion.skeleton.parents, np.int32),
            offsets=motion.skeleton.offsets,
            joints=motion.joints().astype(np.float32),
            about=np.array(said.decode()),
        )


def read(path: str | Path, *, up: str = "", units: str = "") -> Motion:
    """The motion in a file that `write` made, or the field's arrays that `laban.io.poses` knows.

    Args:
        path: the file.
        up: which axis is up in arrays that are not ours; found from the body if empty.
        units: of such arrays; found from the body if empty.
    Raises: FormatError for anything else; nothing is unpickled.
    """
    motion: Motion | None = None
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(item.file_size for item in archive.infolist()) > _LIMIT:
                raise FormatError(f"{path}: unpacks to more than {_LIMIT >> 20} MiB; not a motion of ours.")
        with Path(path).open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            data = {key: file[key] for key in file.files}
        if "rotations" in data:
            said: dict[str, Any] = {"skeleton": "npz", "passport": None, "segments": []}
            if "about" in data:
                said |= json.loads(str(data["about"]))
            skeleton = Skeleton(
                str(said["skeleton"]),
                tuple(str(n) for n in data["names"]),
                tuple(int(p) for p in data["parents"]),
                data["offsets"],
            )
            passport, segments = about.parse(said, path)
            motion = Motion(skeleton, data["rotations"], data["root"], float(data["fps"]), segments, passport)
    except LabanError as error:
        raise error if isinstance(error, FormatError) else FormatError(f"{path}: damaged ({error})") from None
    except KeyError as error:
        raise FormatError(
            f"{path}: no array {error} in it; expected rotations, root, fps, names, parents, offsets."
        ) from None
    except Exception as error:  # zip, npy, JSON and casting errors of a damaged file
        raise FormatError(f"{path}: not a readable .npz motion ({str(error)[:80]}).") from None
    if motion is None:
        return poses.motion_of(data, Path(path), up, units)
    return settled(motion, up or "y", units or "m") if up or units else motion
