"""`laban check features FILE.npz`: our HumanML3D or KIT-ML features against expected values.

The file is a set of clips named by the prefix of their arrays (X below):

    X_joints (T, J, 3)                   the input
    X_canonical_joints (T, J, 3)         after fitting, floor, origin and facing
    X_features (T-1, 12 J - 1)           the features
    X_recover_from_positions (T-1, J, 3) joints read back from the positions in X_features
    X_recover_from_rotations (T-1, J, 3) joints read back from the rotations in X_features
    target_bone_offsets (J, 3)           the skeleton that all clips are fitted to

J = 22 is HumanML3D (metres), J = 21 KIT-ML (millimetres). Any of them may be absent.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from laban.check.compare import CheckReport, Comparison, compare, concluded, read_arrays, refuse_unknown
from laban.errors import FormatError
from laban.motion import humanml
from laban.motion.humanml import Layout

OFFSETS = "target_bone_offsets"
KINDS = ("canonical_joints", "recover_from_positions", "recover_from_rotations", "features", "joints")
TOLERANCE = 1e-4  # absolute: metres, and everything that has no unit
# Millimetres: a tenth of the metric tolerance above as a floor, since float32 resolves 1e-4 mm at 2 m, and
# one part in 10^4 of the value.
MILLIMETRE_TOLERANCE = 0.01
RELATIVE = 1e-4


def check_features(path: str | Path) -> CheckReport:
    """Compare every array of the file that can be computed from the others.

    Args:
        path: an .npz as described at the top of this file.
    Returns: Report, all within tolerance; arrays that are absent are named in it.
    Raises: FormatError if the file cannot be read or an array has an impossible shape; CheckFailed on an array
        of an unknown name, on one beyond tolerance, or when nothing could be compared.
    Source: the released preprocessing of HumanML3D (Guo et al., CVPR 2022), whose values the file holds.
    """
    arrays = read_arrays(path)
    clips, unknown = _grouped(arrays)
    refuse_unknown(Path(path), unknown, f"expected {OFFSETS} and names ending in _{', _'.join(KINDS)}")
    layout = _layout(path, arrays)
    if layout is None:
        return concluded(CheckReport(str(path), "m", (), (OFFSETS, *(f"X_{kind}" for kind in KINDS))))
    _check_shapes(path, arrays, clips, layout)

    rows: list[Comparison] = []
    absent: list[str] = [] if OFFSETS in arrays else [OFFSETS]
    row, offsets = _offsets(arrays, clips, layout)
    if row is not None:
        rows.append(row)
    for name, clip in sorted(clips.items()):
        computed = _computed(clip, layout, offsets)
        for kind in KINDS:
            if kind not in clip:
                absent.append(f"{name}_{kind}")
            elif kind in computed:
                rows.append(_row(f"{name}_{kind}", kind, computed[kind], clip[kind], layout))
            elif kind != "joints" and kind != "features":
                absent.append(f"{name}_features (so {name}_{kind} stands alone)")
    unit = "m" if layout.unit == 1.0 else "mm"
    return concluded(CheckReport(str(path), unit, tuple(rows), tuple(dict.fromkeys(absent))))


def _grouped(arrays: dict[str, np.ndarray]) -> tuple[dict[str, dict[str, np.ndarray]], list[str]]:
    """Arrays by clip and kind, and the names that fit no rule."""
    clips: dict[str, dict[str, np.ndarray]] = {}
    unknown = []
    for name, array in arrays.items():
        if name == OFFSETS:
            continue
        kind = next((k for k in KINDS if name.endswith(f"_{k}") and len(name) > len(k) + 1), None)
        if kind is None:
            unknown.append(name)
        else:
            clips.setdefault(name[: -len(kind) - 1], {})[kind] = array
    return clips, unknown


def _layout(path: str | Path, arrays: dict[str, np.ndarray]) -> Layout | None:
    """The layout that the first array's joint count, or feature width, names; None without arrays."""
    for name, array in arrays.items():
        for layout in humanml.LAYOUTS.values():
            by_width = name.endswith("_features") and array.ndim == 2 and array.shape[1] == layout.width
            by_joints = not name.endswith("_features") and array.ndim >= 2 and array.shape[-2] == layout.joints
            if by_width or by_joints:
                return layout
        raise FormatError(
            f"{path}: {name} has shape {array.shape}, expected 22 joints (HumanML3D, 263 features) or 21 joints "
            "(KIT-ML, 251 features). Write it as (T, J, 3) or (T-1, 12 J - 1)."
        )
    return None


def _check_shapes(
    path: str | Path, arrays: dict[str, np.ndarray], clips: dict[str, dict[str, np.ndarray]], layout: Layout
) -> None:
    wanted = {f"{n}_{k}": (2, (layout.width,)) if k == "features" else (3, (layout.joints, 3))
              for n, clip in clips.items() for k in clip}  # fmt: skip
    for name, array in arrays.items():
        dimensions, tail = wanted.get(name, (2, (layout.joints, 3)))
        frames = 2 if name.endswith("joints") else 1
        if array.ndim != dimensions or array.shape[-len(tail) :] != tail or len(array) < frames:
            raise FormatError(
                f"{path}: {name} has shape {array.shape}, expected {layout.name}'s "
                f"{('T', *tail) if dimensions > len(tail) else tail} with T >= {frames}. Correct the array."
            )


def _offsets(
    arrays: dict[str, np.ndarray], clips: dict[str, dict[str, np.ndarray]], layout: Layout
) -> tuple[Comparison | None, np.ndarray]:
    """The comparison of target_bone_offsets, and the skeleton to fit to.

    The skeleton built in is used when the file's agrees with it or the file has none. A file fitted to another
    skeleton is compared with the bones of its own canonical joints instead, which have those lengths exactly.
    """
    if OFFSETS not in arrays:
        return None, layout.offsets
    expected = arrays[OFFSETS]
    row = _row(OFFSETS, OFFSETS, layout.offsets, expected, layout)
    if row.ok:
        return row, layout.offsets
    for clip in clips.values():
        if "canonical_joints" in clip:
            bones = humanml.offsets_of(clip["canonical_joints"][0], layout)
            return _row(OFFSETS, OFFSETS, bones, expected, layout), np.asarray(expected, np.float64)
    return row, layout.offsets


def _computed(clip: dict[str, np.ndarray], layout: Layout, offsets: np.ndarray) -> dict[str, np.ndarray]:
    """What this installation makes of a clip's inputs, by kind."""
    out: dict[str, np.ndarray] = {}
    canonical = clip.get("canonical_joints")
    with np.errstate(all="ignore"):
        if "joints" in clip:
            out["canonical_joints"] = humanml.canonical(clip["joints"], layout, offsets)
            out["features"] = humanml.features_of(out["canonical_joints"], layout)
            canonical = out["canonical_joints"] if canonical is None else canonical
        elif canonical is not None:
            out["features"] = humanml.features_of(np.asarray(canonical, np.float64), layout)
        if "features" in clip:
            features = np.asarray(clip["features"], np.float64)
            out["recover_from_positions"] = humanml.decode(features, layout)
            bones = offsets if canonical is None else humanml.offsets_of(canonical[0], layout)
            out["recover_from_rotations"] = humanml.decode_rotations(features, bones, layout)
    return out


def _row(name: str, kind: str, got: np.ndarray, expected: np.ndarray, layout: Layout) -> Comparison:
    """Compare with the layout's tolerance: absolute in metres; in millimetres relative as well."""
    if layout.unit == 1.0:
        return compare(name, got, expected, TOLERANCE)
    if kind != "features" or got.shape != expected.shape:
        return compare(name, got, expected, MILLIMETRE_TOLERANCE, RELATIVE)
    plain = np.zeros(layout.width, bool)  # the columns that have no unit
    for columns in (layout.yaw_rate, layout.rotations, layout.contacts):
        plain[columns] = True
    parts = [
        compare(name, got[:, plain], expected[:, plain], TOLERANCE),
        compare(name, got[:, ~plain], expected[:, ~plain], MILLIMETRE_TOLERANCE, RELATIVE),
    ]
    worst = max(parts, key=lambda part: part.worst)
    return Comparison(name, expected.shape, worst.error, worst.tolerance, worst.worst)
