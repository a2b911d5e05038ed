"""ASF and AMC, Acclaim's skeleton and motion files, as CMU's captures are published.

`walk.amc` holds angles by the names of bones, and needs the skeleton beside it: `walk.asf`, the file whose name is the
part before the last `_` (CMU's `07_01.amc` and `07.asf`), or the only .asf in the folder. A bone turns about the axes
that its `axis` line gives; here each joint is where its bone begins, at rest all are unturned, and the ends of the last
bones are joints called `<bone>_end`. AMC does not give a frame rate: CMU's 120 is assumed.

Source: Lander 1998, "Working with motion capture file formats", Game Developer, January 1998.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from laban.errors import FormatError, InputError, LabanError
from laban.motion import rotation
from laban.motion.bearings import settled
from laban.motion.motion import Motion
from laban.motion.skeleton import MAX_JOINTS, Skeleton

FPS = 120.0
MOST_BYTES = 256 << 20
_ORDERS = {"rx": "x", "ry": "y", "rz": "z"}


@dataclass
class _Bone:
    """A bone: unit direction and length in the world, its axes (rest), and what turns it ("rx", "ry", "rz" in turn)."""

    name: str
    direction: np.ndarray = field(default_factory=lambda: np.zeros(3))
    length: float = 0.0
    axes: np.ndarray = field(default_factory=lambda: np.array(rotation.IDENTITY))
    moves: tuple[str, ...] = ()


def read(path: str | Path, *, up: str = "", units: str = "") -> Motion:
    """The motion in an AMC file with the skeleton of the ASF file beside it.

    Args:
        path: the .amc.
        up: which axis is up; found from the body if empty.
        units: of lengths; found from the body if empty.
    Returns: metres, Y up.
    Raises: InputError if a file is missing; FormatError, one line, for damaged ones.
    """
    path = Path(path)
    skeleton = _beside(path)
    try:
        bones, parents, unit = _skeleton(_lines(skeleton), skeleton)
        motion = _motion(path, bones, parents, unit)
    except (ValueError, IndexError, KeyError) as error:
        raise FormatError(f"{path}: damaged ASF or AMC ({str(error)[:80]}). Get it again.") from None
    except LabanError as error:
        raise error if isinstance(error, FormatError) else FormatError(f"{path}: damaged ({error})") from None
    return settled(motion, up, units)


def _beside(path: Path) -> Path:
    """The skeleton of a motion file."""
    if not path.is_file():
        raise InputError(f"{path}: there is no such file.")
    found = {p.name.lower(): p for p in sorted(path.parent.iterdir()) if p.suffix.lower() == ".asf"}
    for stem in (path.stem, path.stem.rpartition("_")[0]):
        if f"{stem}.asf".lower() in found:
            return found[f"{stem}.asf".lower()]
    if len(found) == 1:
        return next(iter(found.values()))
    raise InputError(f"{path}: needs its skeleton beside it, {path.stem}.asf; there are {', '.join(found) or 'none'}.")


def _lines(path: Path) -> list[list[str]]:
    """The words of the lines of a file, without comments and empty ones."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise FormatError(f"{path}: has more than {MOST_BYTES >> 20} MiB. Cut the take.")
        text = path.read_text(encoding="latin-1")
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror or error}).") from None
    return [words for line in text.splitlines() if (words := line.split("#")[0].split())]


def _skeleton(lines: list[list[str]], path: Path) -> tuple[list[_Bone], list[int], float]:
    """Bones with parents before children, their parents, and radians in a unit of angles."""
    root, unit = _Bone("root"), np.radians(1.0)
    bones: list[_Bone] = [root]
    links: list[list[str]] = []
    section = ""
    for words in lines:
        key = words[0].lower()
        if key.startswith(":"):
            section = key
        elif section == ":units" and key == "angle":
            unit = np.radians(1.0) if words[1].lower().startswith("deg") else 1.0
        elif section == ":root" and key == "order":
            root.moves = tuple(word.lower() for word in words[1:])
        elif section == ":bonedata" and key == "begin":
            bones.append(_Bone(""))
        elif section == ":bonedata":
            _describe(bones[-1], key, words[1:], unit)
        elif section == ":hierarchy" and key not in ("begin", "end"):
            links.append(words)
    if len(bones) > MAX_JOINTS:
        raise FormatError(f"{path}: {len(bones)} bones; at most {MAX_JOINTS} were expected.")
    order, parents = _tree(links, [bone.name for bone in bones], path)
    known = {bone.name: bone for bone in bones}
    return [known[name] for name in order], parents, unit


def _tree(links: list[list[str]], names: list[str], path: Path) -> tuple[list[str], list[int]]:
    """Names with parents before children, and their parents, of lines of a parent and its children."""
    above: dict[str, str] = {}
    for parent, *children in links:
        for child in children:
            if child not in names or child in above or child == "root":
                raise FormatError(f"{path}: {child[:40]!r} hangs on nothing, or twice. The file is damaged.")
            above[child] = parent
    order = ["root"]
    for name in order:
        order.extend(child for child, parent in above.items() if parent == name)
    if len(order) < 2 or len(order) != len(names):
        raise FormatError(f"{path}: {len(names)} bones, of which {len(order)} hang on the root; expected a skeleton.")
    return order, [order.index(above[name]) if name in above else -1 for name in order]


def _describe(bone: _Bone, key: str, words: list[str], unit: float) -> None:
    """A line about a bone."""
    if key == "name":
        bone.name = words[0]
    elif key == "direction":
        bone.direction = np.array(words[:3], np.float64)
    elif key == "length":
        bone.length = float(words[0])
    elif key == "axis":  # turns about fixed axes, the first letter first
        order = (words[3] if len(words) > 3 else "XYZ").upper()
        bone.axes = rotation.from_euler(unit * np.array(words[:3], np.float64)[::-1], order[::-1])
    elif key == "dof":
        bone.moves = tuple(word.lower() for word in words)


def _motion(path: Path, bones: list[_Bone], parents: list[int], unit: float) -> Motion:
    values = _values(path, bones)
    frames = len(values["root"])
    turns = np.zeros((frames, len(bones), 4))
    turns[..., 0] = 1.0
    place = np.zeros((frames, 3))
    for number, bone in enumerate(bones):
        rows = values.get(bone.name)
        if rows is None or not bone.moves:
            continue
        own = np.zeros((frames, 4))
        own[:, 0] = 1.0
        for column, move in enumerate(bone.moves):
            if move in _ORDERS:  # about fixed axes, the first turn first
                axis = np.eye(3)["xyz".index(_ORDERS[move])]
                own = rotation.multiply(rotation.from_axis_angle(unit * rows[:, [column]] * axis), own)
            elif number == 0 and move in ("tx", "ty", "tz"):
                place[:, "xyz".index(move[1])] = rows[:, column]
        turns[:, number] = rotation.multiply(bone.axes, rotation.multiply(own, rotation.conjugate(bone.axes)))
    ends = [number for number in range(len(bones)) if number not in parents]
    offsets = [bones[p].direction * bones[p].length if p >= 0 else np.zeros(3) for p in (*parents, *ends)]
    names = [bone.name for bone in bones] + [f"{bones[number].name}_end" for number in ends]
    whole = np.concatenate([turns, np.tile(np.array(rotation.IDENTITY), (frames, len(ends), 1))], axis=1)
    skeleton = Skeleton(path.stem, tuple(names), (*parents, *ends), np.array(offsets))
    note = f"AMC does not say its frame rate; {FPS:g} fps were assumed. --source-fps says otherwise"
    return Motion(skeleton, rotation.continuous(whole), place, FPS, notes=(note,))


def _values(path: Path, bones: list[_Bone]) -> dict[str, np.ndarray]:
    """Name -> (T, number of moves); frames that end early are left out."""
    wanted = {bone.name: len(bone.moves) for bone in bones}
    rows: dict[str, list[list[float]]] = {name: [] for name, width in wanted.items() if width}
    frame = 0
    for words in _lines(path):
        if words[0].startswith(":"):
            continue
        if len(words) == 1 and words[0].isdigit():
            frame += 1
            continue
        if not frame or words[0] not in rows:
            continue
        numbers = [float(word) for word in words[1:]]
        if len(numbers) != wanted[words[0]] or len(rows[words[0]]) != frame - 1:
            raise FormatError(
                f"{path}: frame {frame}, {words[0]}: {len(numbers)} numbers; {wanted[words[0]]} were expected."
            )
        rows[words[0]].append(numbers)
    least = min((len(row) for row in rows.values()), default=0)
    if not least or least < frame - 1:
        raise FormatError(f"{path}: {frame} frames, of which {least} name every bone. The file is damaged.")
    return {name: np.array(row[:least], np.float64) for name, row in rows.items()}
