"""BVH: every layout that real files use, exact joints against independent oracles, round trips, and speed."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from laban.errors import FormatError, InputError
from laban.io import bvh
from laban.motion.motion import Motion, Segment
from laban.motion.skeleton import Skeleton
from laban.motion.skeletons import HUMANML22, KIT21, SMPL24

SMALL = """HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Spine
  {
    OFFSET 0 10 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 20 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.0333333
0 90 0 0 0 0 0 0 0
1 91 2 0 0 90 90 0 0
"""


def save(folder: Path, text: str | bytes, name: str = "a.bvh") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def random_motion(skeleton: Skeleton, frames: int = 20, seed: int = 0, fps: float = 20.0) -> Motion:
    rng = np.random.default_rng(seed)
    quaternions = rng.normal(size=(frames, len(skeleton), 4))
    return Motion(skeleton, quaternions, rng.normal(size=(frames, 3)) * 3, fps)


def by_name(motion: Motion) -> dict[str, np.ndarray]:
    return dict(zip(motion.skeleton.names, np.moveaxis(motion.joints(), 1, 0), strict=True))


def oracle(text: str) -> dict[str, np.ndarray]:
    """World places in file units by walking the text joint by joint with scipy: slow, plain, independent."""
    head, tail = text.split("MOTION")
    rows = np.array([line.split() for line in tail.strip().splitlines()[2:]], dtype=float)
    column, stack, out = 0, [], {}
    name = ""
    for line in head.splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] in ("ROOT", "JOINT", "End"):
            name = words[1] if words[0] != "End" else stack[-1][0] + "_end"
        elif words[0] == "{":
            stack.append([name, np.zeros((len(rows), 3)), Rotation.identity(len(rows))])
        elif words[0] == "OFFSET":
            local = np.tile(np.array(words[1:], dtype=float), (len(rows), 1))
            parent = stack[-2] if len(stack) > 1 else ["", np.zeros((len(rows), 3)), Rotation.identity(len(rows))]
            stack[-1][1:] = [parent[1] + parent[2].apply(local), parent[2]]
            out[name] = stack[-1][1]
        elif words[0] == "CHANNELS":
            turn = Rotation.identity(len(rows))
            for word in words[2:]:
                if word[1:] == "position":
                    local[:, "XYZ".index(word[0])] = rows[:, column]
                else:
                    turn = turn * Rotation.from_euler(word[0], rows[:, [column]], degrees=True)
                column += 1
            stack[-1][1:] = [parent[1] + parent[2].apply(local), parent[2] * turn]
            out[name] = stack[-1][1]
        elif words[0] == "}":
            stack.pop()
    return out


def test_small_file_by_hand(tmp_path):
    motion = bvh.read(save(tmp_path, SMALL))
    assert motion.skeleton.names == ("Hips", "Spine", "Spine_end")
    assert motion.fps == 30.0
    joints = motion.joints()
    np.testing.assert_allclose(joints[0], [[0, 0.9, 0], [0, 1.0, 0], [0, 1.2, 0]], atol=1e-12)
    # Spine turns by +90 about Z inside Hips turned by +90 about Y: the tip goes from +Y to -X to +Z
    np.testing.assert_allclose(joints[1], [[0.01, 0.91, 0.02], [0.01, 1.01, 0.02], [0.01, 1.01, 0.22]], atol=1e-12)


ORDERS = ["".join(p) for p in itertools.permutations("XYZ")]


@pytest.mark.parametrize("order", ORDERS)
def test_every_order_agrees_with_scipy(tmp_path, order):
    rng = np.random.default_rng(1)
    channels = " ".join(f"{axis}rotation" for axis in order)
    text = SMALL.replace("Zrotation Xrotation Yrotation", channels).split("0 90 0")[0]
    text += "\n".join(" ".join(f"{v:.6f}" for v in rng.uniform(-180, 180, 9)) for _ in range(2)) + "\n"
    got = by_name(bvh.read(save(tmp_path, text)))
    for name, places in oracle(text).items():
        np.testing.assert_allclose(got[name], places / 100, atol=1e-9)


def test_six_channel_joints_replace_their_offset(tmp_path):
    """Bandai-Namco's layout: joint_Root > Hips, six channels everywhere, all OFFSETs a mere start pose."""
    text = bandai_like(travel_in_root=False)
    motion = bvh.read(save(tmp_path, text))
    assert motion.skeleton.names[0] == "Hips"
    expected = oracle(text)
    for name, places in by_name(motion).items():
        np.testing.assert_allclose(places, expected[name] / 100, atol=1e-6, err_msg=name)
    assert motion.skeleton.offsets[motion.skeleton.index("Spine")][0] == pytest.approx(0.157357, abs=1e-9)


def test_a_travelling_root_above_the_hips_is_folded(tmp_path):
    text = bandai_like(travel_in_root=True)
    motion = bvh.read(save(tmp_path, text))
    assert motion.skeleton.names[0] == "Hips"
    expected = oracle(text)
    for name, places in by_name(motion).items():
        np.testing.assert_allclose(places, expected[name] / 100, atol=1e-6, err_msg=name)


def bandai_like(travel_in_root: bool, spine_moves: float = 0.0) -> str:
    six = "CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"

    def leaf(name: str, offset: str) -> str:
        return f"JOINT {name}\n{{\nOFFSET {offset}\n{six}\nEnd Site\n{{\nOFFSET 0 0 0\n}}\n}}\n"

    head = (
        f"HIERARCHY\nROOT joint_Root\n{{\nOFFSET 0 0 0\n{six}\nJOINT Hips\n{{\nOFFSET 0.85 93.98 -452\n{six}\n"
        + leaf("Spine", "1 2 3") + leaf("UpperLeg_L", "4 5 6") + "}\n}\n"
    )  # fmt: skip
    rng = np.random.default_rng(2)
    rows = []
    for frame in range(5):
        root = [frame * 3.0, 0, frame * 10.0, 0, 0, 20.0 * frame] if travel_in_root else [0, 0, 0, 0, -0.0, 0]
        hips = [*(rng.normal(size=3) * 5), *rng.uniform(-180, 180, 3)]
        spine = [15.7357, 5.1e-06 + frame * spine_moves, -5.5e-07, *rng.uniform(-180, 180, 3)]
        leg = [-2.0, 0, 9.0, *rng.uniform(-180, 180, 3)]
        rows.append(" ".join(f"{v:.7g}" for v in [*root, *hips, *spine, *leg]))
    return head + "MOTION\nFrames:\t5\nFrame Time:\t0.0333333\n" + "\n".join(rows) + "\n"


def test_a_joint_that_moves_about_in_the_body_is_an_error(tmp_path):
    with pytest.raises(FormatError, match=r"'Spine' moves by \d+ % of the body's size"):
        bvh.read(save(tmp_path, bandai_like(False, spine_moves=2.0)))


def test_a_joint_that_stretches_gets_one_place_and_that_is_said(tmp_path):
    motion = bvh.read(save(tmp_path, bandai_like(False, spine_moves=0.1)))
    assert motion.skeleton.offsets[motion.skeleton.index("Spine")][1] == pytest.approx(0.002, abs=1e-6)
    assert "'Spine' moved most" in motion.notes[0]


def test_a_still_hips_below_an_idle_root_is_folded_too(tmp_path):
    text = bandai_like(False)
    one = "\n".join(text.splitlines()[: text[: text.index("Frame Time")].count("\n") + 2]).replace("\t5", "\t1")
    motion = bvh.read(save(tmp_path, one + "\n"))
    assert (motion.frames, motion.skeleton.names[0]) == (1, "Hips")
    expected = oracle(one)
    for name, places in by_name(motion).items():
        np.testing.assert_allclose(places, expected[name] / 100, atol=1e-6)


def test_partial_channels(tmp_path):
    text = SMALL.replace("CHANNELS 3 Zrotation Xrotation Yrotation", "CHANNELS 1 Xrotation")
    text = text.replace("0 90 0 0 0 0 0 0 0", "0 90 0 0 0 0 0").replace("1 91 2 0 0 90 90 0 0", "1 91 2 0 0 0 90")
    joints = bvh.read(save(tmp_path, text)).joints()
    np.testing.assert_allclose(joints[1, 2], [0.01, 1.01, 0.22], atol=1e-12)
    fixed = SMALL.replace("CHANNELS 6 Xposition Yposition Zposition", "CHANNELS 4 Yposition").replace(
        "OFFSET 0 0 0\n", "OFFSET 7 8 9\n", 1
    )
    fixed = fixed.replace("0 90 0 0 0 0 0 0 0", "90 0 0 0 0 0 0").replace("1 91 2 0 0 90 90 0 0", "91 0 0 0 0 0 0")
    root = bvh.read(save(tmp_path, fixed)).root
    np.testing.assert_allclose(root, [[0.07, 0.9, 0.09], [0.07, 0.91, 0.09]], atol=1e-12)


SPELLINGS = {
    "crlf": lambda t: t.replace("\n", "\r\n"),
    "old mac": lambda t: t.replace("\n", "\r"),
    "mixed ends": lambda t: t[:200].replace("\n", "\r\n") + t[200:],
    "tabs": lambda t: t.replace("  ", "\t").replace(" ", "\t").replace("End\tSite", "End Site"),
    "lower": lambda t: t.lower().replace("hips", "Hips").replace("spine", "Spine"),
    "upper": lambda t: t.upper().replace("HIPS", "Hips").replace("SPINE", "Spine"),
    "blank lines": lambda t: t.replace("\n", "\n\n"),
    "trailing space": lambda t: t.replace("\n", "  \t \n"),
    "no final newline": lambda t: t.rstrip(),
    "leading blank": lambda t: "\n \n" + t,
    "byte order mark": lambda t: "\ufeff" + t,
    "brace on the line": lambda t: t.replace("Hips\n{", "Hips {").replace("Spine\n  {", "Spine {"),
    "wrapped rows": lambda t: t.replace("0 90 0 0", "0 90 0\n0").replace("1 91 2 0", "1 91 2\n0"),
    "exponents": lambda t: t.replace("1 91 2", "1.0e+00 9.1E1 200e-2"),
    "named end": lambda t: t.replace("End Site", "End Site Spine_tip"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_spellings(tmp_path, spelling):
    expected = bvh.read(save(tmp_path, SMALL, "plain.bvh"))
    got = bvh.read(save(tmp_path, SPELLINGS[spelling](SMALL)))
    assert got.skeleton.names == expected.skeleton.names
    np.testing.assert_allclose(got.joints(), expected.joints(), atol=1e-12)


@pytest.mark.parametrize("name", ["mixamorig:Hips", "Bip01 L Thigh", "腰", "a-b.c|d", "End", "MOTION", "CHANNELS x"])
def test_names_with_spaces_and_colons_survive_a_round_trip(tmp_path, name):
    motion = bvh.read(save(tmp_path, SMALL.replace("JOINT Spine", f"JOINT {name}")))
    assert motion.skeleton.names[1:] == (name, f"{name}_end")
    bvh.write(motion, tmp_path / "b.bvh")
    again = bvh.read(tmp_path / "b.bvh")
    assert again.skeleton.names == motion.skeleton.names
    np.testing.assert_allclose(again.joints(), motion.joints(), atol=1e-5)


def test_units_by_size_and_by_request(tmp_path):
    motion = random_motion(HUMANML22)
    for units in (1.0, 100.0, 1000.0):
        bvh.write(motion, tmp_path / "u.bvh", scale=units)
        np.testing.assert_allclose(bvh.read(tmp_path / "u.bvh").joints(), motion.joints(), atol=1e-5)
    inches = 100 / 2.54
    bvh.write(motion, tmp_path / "u.bvh", scale=inches)
    np.testing.assert_allclose(bvh.read(tmp_path / "u.bvh", scale=inches).joints(), motion.joints(), atol=1e-5)


@pytest.mark.parametrize("skeleton", [HUMANML22, SMPL24, KIT21], ids=lambda s: s.name)
@pytest.mark.parametrize("order", ORDERS)
def test_write_then_read_returns_joints_to_a_hundredth_millimetre(tmp_path, skeleton, order):
    motion = random_motion(skeleton, 50, seed=3)
    bvh.write(motion, tmp_path / "m.bvh", order=order)
    again = bvh.read(tmp_path / "m.bvh")
    assert again.skeleton is skeleton and again.fps == motion.fps
    assert np.abs(again.joints() - motion.joints()).max() < 1e-5


def test_round_trip_at_gimbal_lock(tmp_path):
    skeleton = HUMANML22
    quaternions = np.tile([1.0, 0, 0, 0], (4, 22, 1))
    quaternions[1, :, :2] = quaternions[2, :, :2] = np.sqrt(0.5)  # +90 about X, ZXY's middle axis
    quaternions[2, :, 1] *= -1
    quaternions[3] = np.array([0.5, 0.5, 0.5, 0.5])
    motion = Motion(skeleton, quaternions, np.zeros((4, 3)), 30)
    for order in ORDERS:
        bvh.write(motion, tmp_path / "g.bvh", order=order)
        assert np.abs(bvh.read(tmp_path / "g.bvh").joints() - motion.joints()).max() < 1e-5


def test_other_bone_lengths_keep_the_built_in_order(tmp_path):
    longer = Skeleton("tall", HUMANML22.names, HUMANML22.parents, HUMANML22.offsets * 1.2)
    motion = random_motion(longer)
    bvh.write(motion, tmp_path / "m.bvh")
    again = bvh.read(tmp_path / "m.bvh")
    assert again.skeleton.same_tree(HUMANML22)
    assert np.abs(again.joints() - motion.joints()).max() < 1e-5


def test_the_file_is_plain_bvh_in_centimetres(tmp_path):
    motion = random_motion(HUMANML22)
    bvh.write(motion, tmp_path / "m.bvh")
    text = (tmp_path / "m.bvh").read_text()
    assert text.startswith("HIERARCHY\nROOT pelvis\n{\n\tOFFSET 0.000000 0.000000 0.000000\n\tCHANNELS 6 Xposition")
    assert text.count("End Site") == 5 and text.count("JOINT ") == 21
    expected = oracle(text)
    for name, places in by_name(motion).items():
        np.testing.assert_allclose(expected[name] / 100, places, atol=1e-5)
    ends = [name for name in expected if name.endswith("_end")]
    for name in ends:
        length = np.linalg.norm(expected[name] - expected[name.removesuffix("_end")], axis=-1)
        assert (length > 2).all() and (length < 11).all()


def test_pybvh_reads_what_we_write(tmp_path):
    pybvh = pytest.importorskip("pybvh")
    motion = random_motion(HUMANML22)
    bvh.write(motion, tmp_path / "m.bvh")
    theirs = pybvh.read_bvh_file(tmp_path / "m.bvh", world_up="+y")
    places = theirs.node_positions()
    for name, ours in by_name(motion).items():
        np.testing.assert_allclose(places[:, theirs.node_index[name]] / 100, ours, atol=1e-5, err_msg=name)


def test_frame_rates(tmp_path):
    for fps in (20.0, 24.0, 30.0, 60.0, 120.0, 23.976, 29.97, 12.5):
        bvh.write(random_motion(HUMANML22, 2, fps=fps), tmp_path / "m.bvh")
        assert bvh.read(tmp_path / "m.bvh").fps == pytest.approx(fps, rel=1e-8)
    for text, fps in (("0.0333333", 30), ("0.0166667", 60), ("0.008333", 120), ("0.033", 1 / 0.033), (".04", 25)):
        assert bvh.read(save(tmp_path, SMALL.replace("0.0333333", text))).fps == fps


def test_passport_and_segments_travel_beside_the_file(tmp_path):
    passport = {"system": "momask", "seed": 7, "request": {"text": "geht vorwärts", "seconds": 2.0}}
    segments = (Segment("a person walks", 0.0, 0.5), Segment("a person bows", 0.5, 1.0))
    motion = random_motion(HUMANML22)
    bvh.write(Motion(motion.skeleton, motion.rotations, motion.root, 20, segments, passport), tmp_path / "walk.bvh")
    assert json.loads((tmp_path / "walk.bvh.passport.json").read_text())["passport"] == passport
    again = bvh.read(tmp_path / "walk.bvh")
    assert again.passport == passport and again.segments == segments
    bvh.write(motion, tmp_path / "walk.bvh")  # without one: the old one must not stay
    assert sorted(p.name for p in tmp_path.iterdir()) == ["walk.bvh"]
    assert bvh.read(tmp_path / "walk.bvh").passport is None


@pytest.mark.parametrize("content", ["", "[]", "{", '{"passport": 3, "segments": []}', '{"segments": [{"text": "a"}]}'])
def test_a_broken_passport_is_one_clear_error(tmp_path, content):
    path = save(tmp_path, SMALL)
    bvh.sidecar(path).write_text(content)
    with pytest.raises(FormatError, match="passport"):
        bvh.read(path)


def test_writing_what_cannot_be_written(tmp_path):
    motion = random_motion(HUMANML22)
    for options in ({"order": "ZZY"}, {"order": "abc"}, {"scale": 0}, {"scale": float("nan")}):
        with pytest.raises(InputError, match=r"bvh\.write"):
            bvh.write(motion, tmp_path / "m.bvh", **options)
    with pytest.raises(InputError, match="does not exist"):
        bvh.write(motion, tmp_path / "none" / "m.bvh")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="cannot be read"):
        bvh.read(tmp_path / "missing.bvh")
    with pytest.raises(InputError, match="scale"):
        bvh.read(save(tmp_path, SMALL), scale=-1)


def test_speed(tmp_path):
    """Bounds of processor time, twice the goals of `benchmarks/io_speed.py`, which measures them."""
    names = tuple(f"j{i}" for i in range(43))
    offsets = np.random.default_rng(0).normal(size=(43, 3)) * 0.1
    long = random_motion(Skeleton("long", names, (-1, *range(42)), offsets), 5000)
    bvh.write(long, tmp_path / "long.bvh")
    assert best(lambda: bvh.read(tmp_path / "long.bvh")) < 1.5
    short = random_motion(HUMANML22, 200)
    assert best(lambda: bvh.write(short, tmp_path / "short.bvh")) < 0.1


def best(action, tries: int = 4) -> float:
    seconds = []
    for _ in range(tries):
        start = time.process_time()
        action()
        seconds.append(time.process_time() - start)
    return min(seconds)


DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture(scope="module")
def real_files(tmp_path_factory):
    if not DATA.is_dir():
        pytest.skip("needs the project's own data, ../shared/data")
    import tarfile

    folder = tmp_path_factory.mktemp("real")
    wanted = ("dataset-1_walk_normal_002.bvh", "dataset-1_bow_normal_001.bvh", "cmu/cmu-raw/02_03.bvh")
    for archive in ("bandai-namco-1.tar.xz", "cmu.tar.xz"):
        with tarfile.open(DATA / archive) as tar:
            for member in tar:
                if member.name.endswith(wanted):
                    handle = tar.extractfile(member)
                    assert handle is not None
                    (folder / Path(member.name).name).write_bytes(handle.read())
    return folder


@pytest.mark.parametrize("name", ["dataset-1_walk_normal_002", "dataset-1_bow_normal_001", "02_03"])
def test_real_files_agree_with_the_oracle(real_files, name):
    path = real_files / f"{name}.bvh"
    expected = oracle(path.read_text())
    motion = bvh.read(path)
    assert motion.fps == (120 if name == "02_03" else 30)
    for joint, places in by_name(motion).items():
        np.testing.assert_allclose(places, expected[joint] / 100, atol=2e-5, err_msg=joint)
