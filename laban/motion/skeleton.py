"""`Skeleton`: names, parents, rest offsets. Frozen data, not a network."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from laban.errors import InputError, ShapeError

MAX_JOINTS = 1000  # rigs with fingers, faces and clothes have a few hundred
FARTHEST = 1e8  # metres: places beyond are damage, and their squares would soon overflow


@dataclass(frozen=True, eq=False)
class Skeleton:
    """A tree of joints in its rest pose.

    Args:
        name: what messages call it, e.g. "humanml22".
        names: J joint names, all different.
        parents: J parent indices; the one root has -1, and a parent stands before its children.
        offsets: (J, 3) metres, from the parent joint to the joint in the rest pose, whose rotations are all identity.
            The root's offset is not used.
    Raises: ShapeError if the three do not fit; InputError for names that stand twice, more than MAX_JOINTS joints,
        or offsets that are not finite.
    """

    name: str
    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: np.ndarray

    def __post_init__(self) -> None:
        offsets = np.array(self.offsets, dtype=np.float64)
        offsets.flags.writeable = False
        object.__setattr__(self, "offsets", offsets)
        object.__setattr__(self, "names", tuple(self.names))
        object.__setattr__(self, "parents", tuple(int(p) for p in self.parents))
        count = len(self.names)
        if offsets.shape != (count, 3) or len(self.parents) != count or count == 0:
            raise ShapeError(
                f"Skeleton {self.name}: {count} names, {len(self.parents)} parents, offsets {offsets.shape}; "
                "expected J, J and (J, 3) with J > 0."
            )
        if count > MAX_JOINTS:
            raise InputError(f"Skeleton {self.name}: {count} joints; at most {MAX_JOINTS} were expected of a body.")
        if not (np.abs(offsets) <= FARTHEST).all():
            raise InputError(f"Skeleton {self.name}: offsets are NaN or above {FARTHEST:g} m. The source is damaged.")
        if len(set(self.names)) != count:
            twice = sorted(n for n, times in Counter(self.names).items() if times > 1)
            raise InputError(f"Skeleton {self.name}: joint names stand twice: {', '.join(twice[:5])}. Rename them.")
        if self.parents[0] != -1 or any(not 0 <= p < j for j, p in enumerate(self.parents) if j):
            raise ShapeError(f"Skeleton {self.name}: joint 0 must be the root (-1), and parents stand before children.")

    def __len__(self) -> int:
        return len(self.names)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Skeleton) and self.same_tree(other) and np.array_equal(self.offsets, other.offsets)

    def __hash__(self) -> int:
        return hash((self.names, self.parents))

    def same_tree(self, other: Skeleton) -> bool:
        """True when names and parents agree, whatever the bone lengths."""
        return self.names == other.names and self.parents == other.parents

    def index(self, name: str) -> int:
        """The joint's number. Raises InputError that lists the names."""
        try:
            return self.names.index(name)
        except ValueError:
            raise InputError(f"Skeleton {self.name} has no joint {name!r}; it has {', '.join(self.names)}.") from None

    def children(self, joint: int) -> tuple[int, ...]:
        """The numbers of the joints that hang on `joint`."""
        return self._children[joint]

    @cached_property
    def _children(self) -> tuple[tuple[int, ...], ...]:
        lists: list[list[int]] = [[] for _ in self.names]
        for joint, parent in enumerate(self.parents):
            if parent >= 0:
                lists[parent].append(joint)
        return tuple(tuple(c) for c in lists)

    @cached_property
    def lengths(self) -> np.ndarray:
        """(J,) metres: bone from parent to joint; the root's is 0."""
        lengths = np.linalg.norm(self.offsets, axis=-1)
        lengths[0] = 0.0
        return lengths

    def rest(self) -> np.ndarray:
        """(J, 3) metres: joints of the rest pose, root at the origin."""
        joints = np.zeros((len(self), 3))
        for joint in range(1, len(self)):
            joints[joint] = joints[self.parents[joint]] + self.offsets[joint]
        return joints

    @cached_property
    def pairs(self) -> np.ndarray:
        """(J,) joint numbers after swapping left and right by name (left_knee <-> right_knee, L_Knee <-> R_Knee)."""
        swapped = []
        for name in self.names:
            other = name
            for a, b in (("left", "right"), ("Left", "Right"), ("L_", "R_")):
                if name.startswith(a):
                    other = b + name[len(a) :]
                elif name.startswith(b):
                    other = a + name[len(b) :]
            swapped.append(self.names.index(other) if other in self.names else self.names.index(name))
        return np.array(swapped)
