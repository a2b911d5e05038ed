"""The timeline document: read, written, refused, and made of other people's."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from laban.authoring import importing
from laban.authoring.short import Short
from laban.authoring.timeline import Prompt, Timeline, located, only, parse
from laban.errors import InputError
from laban.motion.constraints import Effector, EffectorKey, PathPoint, PoseKey, RootKey, RootPath
from laban.motion.skeletons import HUMANML22
from laban.systems.kmm.script import Line

WHOLE: dict[str, Any] = {
    "laban_timeline": "1.0", "name": "patrol", "length": 8.0, "fps": 30, "seed": 3, "samples": 8, "best": 1,
    "model": "auto", "character": {"file": "hero.glb", "map": "hero.map.json"},
    "prompts": [
        {"id": "p1", "start": 0, "end": 4, "text": "a person walks forward", "seed": 7, "locked": False},
        {"id": "p2", "start": 4, "end": 8, "text": "waves with the right hand", "parts": ["arms"]},
    ],
    "music": {"file": "song.ogg", "start": 12.5, "at": 0, "bpm": 96, "lock_beats": True},
    "source": {"file": "capture.bvh", "at": 0},
    "keep": [{"start": 0, "end": 1.5, "parts": ["all"]}],
    "poses": [
        {"id": "k1", "at": 4.0, "parts": ["all"], "rotations": {"left_shoulder": [1, 0, 0, 0]},
         "root": {"xz": [0, 2], "height": 0.92, "heading": 0.0}, "from": None, "tolerance": 0.01}
    ],
    "paths": [
        {"id": "a", "kind": "waypoints", "heading": "path",
         "points": [{"at": 0, "xz": [0, 0]}, {"at": 4, "xz": [0.5, 2.4], "heading": 0.3}]}
    ],
    "effectors": [
        {"id": "e1", "joint": "right_wrist", "space": "world", "contact": False,
         "keys": [{"at": 5.0, "position": [0.3, 1.4, 2.6], "hold": 0.4}]}
    ],
    "speed": [{"start": 6, "end": 8, "rate": 0.8}], "loop": None, "root": "travel", "notes": {"any": [1, "kept"]},
}  # fmt: skip


def changed(**values: Any) -> dict[str, Any]:
    return {**WHOLE, **values}


def test_the_specified_document_is_read_and_comes_back_the_same(tmp_path: Path) -> None:
    made = parse(WHOLE)
    made.write(tmp_path / "a.timeline.json")
    assert Timeline.read(tmp_path / "a.timeline.json") == made
    assert made.poses[0].source is None and made.poses[0].root == RootKey((0.0, 2.0), 0.92, 0.0)
    assert json.loads((tmp_path / "a.timeline.json").read_text())["notes"] == {"any": [1, "kept"]}
    assert made.sha256 == parse(json.loads(json.dumps(WHOLE))).sha256 != replace(made, seed=4).sha256


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"lenght": 3}, "did you mean 'length'"),
        ({"laban_timeline": "2.0"}, "expected '1.0'"),
        ({"laban_timeline": 1.0}, "expected '1.0'"),
        ({"length": 0.1}, "expected 0.4 to 600"),
        ({"length": "8"}, "length"),
        ({"paths": [{"kind": "waypionts", "points": []}]}, "did you mean 'waypoints'"),
        ({"paths": [{"points": [{"at": 9, "xz": [0, 0]}, {"at": 10, "xz": [0, 1]}]}]}, "outside the 8 s"),
        ({"paths": [{"points": [{"at": 3, "xz": [0, 0]}, {"at": 2, "xz": [0, 1]}]}]}, "follows one at 3 s"),
        ({"paths": [{"points": [{"at": 0, "xz": [0, 1e9]}]}]}, "within 1000"),
        ({"paths": [{"points": [{"at": 0, "xz": [0, 0, 0]}]}]}, "2 values"),
        ({"effectors": [{"joint": "right_wirst", "keys": []}]}, "did you mean 'right_wrist'"),
        ({"effectors": [{"joint": "right_wrist", "keys": []}]}, "has 0 keys"),
        ({"poses": [{"at": 1}]}, "asks nothing"),
        ({"poses": [{"at": 1, "source": {"file": "x"}}]}, "did you mean 'from'"),
        ({"poses": [{"at": 1, "rotations": {"head": [1, 1, 0, 0]}}]}, "unit quaternion"),
        ({"poses": [{"at": 1, "rotations": {"tail": [1, 0, 0, 0]}}]}, "unknown joint 'tail'"),
        ({"poses": [{"at": 1, "from": {"file": "x"}, "rotations": {"head": [1, 0, 0, 0]}}]}, "both from and rotations"),
        ({"prompts": [{"start": 0, "end": 3, "text": "x"}, {"start": 2, "end": 4, "text": "y"}]}, "overlap"),
        ({"prompts": [{"start": 0, "end": 3, "text": " "}]}, "text is ' '"),
        ({"prompts": [{"start": 3, "end": 2, "text": "x"}]}, "start before end"),
        ({"prompts": [{"start": 0, "end": 2, "text": "x", "parts": ["tail"]}]}, "unknown part"),
        ({"prompts": [{"id": "a", "start": 0, "end": 2, "text": "x"}]}, "'a' is used twice"),
        ({"source": None}, "there is no source"),
        ({"speed": [{"start": 0, "end": 2, "rate": 3}]}, "expected 0.5 to 2"),
        ({"loop": True}, "expected one of"),
        ({"best": 2}, "best is 2"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(values: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said.replace("(", r"\(")):
        parse(changed(**values))


@pytest.mark.parametrize("content", [b"", b"[1", b"\xff\xfe", b'{"length": NaN}', b"[]", b'"x"', b"[" * 5000])
def test_files_that_are_no_timeline_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"x\.json"):
        Timeline.read(path)
    with pytest.raises(InputError, match="no such file"):
        Timeline.read(tmp_path / "y.json")


def test_a_later_minor_version_is_read_without_what_is_new() -> None:
    told: list[str] = []
    points = [{"at": 0, "xz": [0, 0], "surface": "ice"}]
    made = parse({"laban_timeline": "1.3", "length": 2, "weather": 1, "paths": [{"points": points}]}, told.append)
    assert made.length == 2.0 and len(made.paths) == 1
    assert [t.split()[1] for t in told] == ["weather", "paths[0].points[0].surface"]


def test_files_stay_in_the_folder_and_are_the_ones_meant(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "a.bvh").write_text("x")
    (tmp_path / "in" / "b.bvh").write_text("x")
    assert located("b.bvh", tmp_path / "in", allow_outside=False).name == "b.bvh"
    for name, outside, digest, said in (
        ("../a.bvh", False, None, "outside"), ("c.bvh", False, None, "no such file"),
        ("../a.bvh", True, "00", "SHA-256"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=said):
            located(name, tmp_path / "in", allow_outside=outside, sha256=digest)


def test_one_goal_alone() -> None:
    made = only(parse(WHOLE), "e1")
    assert made.effectors and not made.paths and not made.poses
    with pytest.raises(InputError, match="did you mean"):
        only(made, "e2")


def test_short_options_make_the_same_document() -> None:
    short = Short(
        path="0:0,0 4:0.5,2.4", reach=("right_wrist@5=0.3,1.4,2.6", "right_wrist@2=0,1,1"), loop=True, root="in_place",
        speed=0.8, end_pose="bow.bvh@1.5", pose=("sit.npz=3",),
    )  # fmt: skip
    made = short.onto(Timeline(8.0, prompts=(Prompt(0, 8, "a person walks"),)))
    assert parse(made.record()) == made
    assert [k.at for k in made.effectors[0].keys] == [2.0, 5.0]
    assert made.paths[0].points[1] == PathPoint(4.0, (0.5, 2.4))
    assert [(k.at, k.source and k.source.file) for k in made.poses] == [(8.0, "bow.bvh"), (3.0, "sit.npz")]
    assert short.length == 5.0 and short.given and not Short().given
    for wrong in (Short(path="0:0"), Short(reach=("right_wrist=1,2,3",)), Short(pose=("a.bvh",)), Short(path="0:a,b")):
        with pytest.raises(InputError):
            wrong.onto(Timeline(8.0))


KIMODO = [
    {"type": "root2d", "frame_indices": [0, 60, 120], "smooth_root_2d": [[0, 0], [0.2, 1.5], [0, 3]],
     "global_root_heading": [[1, 0], [0, 1], [1, 0]]},
    {"type": "fullbody", "frame_indices": [90], "local_joints_rot": [[[0.0, 0.5, 0.0]] + [[0.0, 0.0, 0.1]] * 21],
     "root_positions": [[0, 0.9, 2]]},
    {"type": "right-hand", "frame_indices": [30], "local_joints_rot": [[[0, 0, 0]] * 22],
     "root_positions": [[0, 0.9, 1]]},
]  # fmt: skip


def test_kimodo_constraints_become_a_timeline_and_go_back() -> None:
    meta = {"text": "a person walks", "duration": 5.0, "seed": 4, "num_samples": 2, "cfg": [2, 2]}
    made = importing.of_kimodo(KIMODO, meta)
    assert (made.length, made.fps, made.seed, made.samples, made.notes) == (5.0, 30.0, 4, 2, {"cfg": [2, 2]})
    assert [p.at for p in made.paths[0].points] == [0.0, 2.0, 4.0]
    assert made.paths[0].points[1].heading == pytest.approx(math.pi / 2)
    assert made.poses[0].root == RootKey((0.0, 2.0), 0.9, pytest.approx(0.5))
    assert made.poses[0].rotations["left_hip"] == pytest.approx((math.cos(0.05), 0, 0, math.sin(0.05)))
    wrist = np.array([0, 0.9, 1]) + HUMANML22.rest()[HUMANML22.index("right_wrist")]
    assert made.effectors[0].keys[0].position == pytest.approx(tuple(wrist))
    again = importing.of_kimodo(importing.to_kimodo(made), meta)
    assert again.paths == made.paths
    for name, turn in made.poses[0].rotations.items():
        assert again.poses[0].rotations[name] == pytest.approx(turn)


def test_kimodo_dense_paths_are_paths_and_other_bodies_give_their_roots() -> None:
    dense = {"type": "root2d", "frame_indices": list(range(60)), "smooth_root_2d": [[0, 0.02 * k] for k in range(60)]}
    body = {
        "type": "fullbody",
        "frame_indices": [10],
        "local_joints_rot": [[[0, 0, 0]] * 77],
        "root_positions": [[1, 1, 2]],
    }
    made = importing.of_kimodo([dense, body])
    assert made.paths[0].kind == "path" and made.length == 2.0
    assert made.poses[0].rotations == {} and made.poses[0].root == RootKey((1.0, 2.0), 1.0, None)
    assert "77 joints" in made.notes["joints"]


MMCP = {
    "protocol_version": "1.0", "model": "laban-text", "timing": {"fps": 20},
    "segments": [{"type": "text", "prompt": "a person walks", "duration_frames": 60, "seed": 5},
                 {"type": "unconditioned", "duration_frames": 20}],
    "constraints": [
        {"type": "root_path", "frames": [0, 40], "positions_xz": [[0, 0], [0, 2]], "heading_radians": [0, 0.5]},
        {"type": "effector_target", "joint": "left_wrist", "frames": [30], "positions": [[0.3, 1.2, 1.5]]},
        {"type": "pose_keyframe", "frame": 60, "joint_rotations": {"head": [0, 0, 0, 1]}, "root_position": [0, 0.9, 3]},
    ],
    "options": {"seed": 2, "num_samples": 4, "transition_frames": 5},
}  # fmt: skip


def test_mmcp_requests_become_timelines_and_go_back() -> None:
    made = importing.of_mmcp(MMCP)
    assert (made.length, made.fps, made.seed, made.samples) == (4.0, 20.0, 2, 4)
    assert made.prompts == (Prompt(0.0, 3.0, "a person walks", seed=5),)
    assert made.paths == (RootPath((PathPoint(0.0, (0.0, 0.0), 0.0), PathPoint(2.0, (0.0, 2.0), 0.5))),)
    assert made.effectors == (Effector("left_wrist", (EffectorKey(1.5, (0.3, 1.2, 1.5)),)),)
    assert made.poses == (PoseKey(3.0, rotations={"head": (1.0, 0.0, 0.0, 0.0)}, root=RootKey((0.0, 3.0), 0.9, None)),)
    assert replace(importing.of_mmcp(importing.to_mmcp(made)), notes={}) == replace(made, notes={})
    rest = {"type": "pose_keyframe", "frame": 3, "joint_rotations": {}, "fill_mode": "rest"}
    assert len(importing.of_mmcp({**MMCP, "constraints": [rest]}).poses[0].rotations) == 22
    for kind in ("ground_height", "video_reference"):
        with pytest.raises(InputError, match=kind):
            importing.of_mmcp({**MMCP, "constraints": [{"type": kind}]})


def test_scripts_and_damaged_documents(tmp_path: Path) -> None:
    made = importing.of_script([Line("a person walks", 2.0, 7), Line("she bows")])
    assert made.length == 6.0
    assert made.prompts == (Prompt(0.0, 2.0, "a person walks", seed=7), Prompt(2.0, 6.0, "she bows"))
    for kind, content in (
        ("kimodo", "{}"), ("kimodo", '[{"type": "root2d", "frame_indices": [0], "smooth_root_2d": [[1]]}]'),
        ("kimodo", '[{"type": "jump", "frame_indices": [0]}]'), ("mmcp", "[]"),
        ("mmcp", '{"segments": [1], "constraints": []}'), ("mmcp", '{"constraints": [{"type": "root_path"}]}'),
    ):  # fmt: skip
        path = tmp_path / "x.json"
        path.write_text(content)
        with pytest.raises(InputError):
            importing.read(kind, path)
