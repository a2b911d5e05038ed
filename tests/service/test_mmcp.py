"""MMCP: the SDK's schemas and checks agree with ours, and its clients get what they ask for from the real service."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from motionmcp import client as sdk_client
from motionmcp.backbone import ModelSpec
from motionmcp.client.glb import glb_to_gltf
from motionmcp.client.gltf_parser import parse_gltf_samples
from motionmcp.errors import ProtocolError
from motionmcp.schemas import GenerateRequest
from motionmcp.server import _check_version, _schema_error, _validate_against_spec
from pydantic import ValidationError

from laban.motion.motion import Motion
from laban.motion.skeletons import HUMANML22
from laban.service.mmcp import models
from laban.service.mmcp.body import Body
from laban.service.mmcp.errors import STATUS, Refused
from laban.service.mmcp.trajectory import trajectory
from tests.service.live import Live

SONG = "0" * 64


def wanted(**more: Any) -> dict[str, Any]:
    """A request that can be done."""
    segments = (
        [] if "duration_frames" in more else [{"type": "text", "prompt": "a person walks", "duration_frames": 60}]
    )
    body = {"protocol_version": "1.0", "model": "laban-text", "skeleton": models.canonical(), "segments": segments}
    return {**body, **more}


def ours(body: Any) -> str:
    """The code with which we refuse a body; empty if we take it."""
    try:
        models.checked(copy.deepcopy(body), [SONG])
    except Refused as refused:
        assert refused.status == STATUS[refused.code]
        return refused.code
    return ""


def theirs(body: Any) -> str:
    """The same of the SDK's server, with our models."""
    known = {name: ModelSpec(**entry) for name, entry in models.models([SONG]).items()}
    try:
        if isinstance(body.get("protocol_version"), str) and body["protocol_version"].replace(".", "").isdigit():
            _check_version(body["protocol_version"])
        try:
            request = GenerateRequest.model_validate(body)
        except ValidationError as error:
            raise _schema_error(error) from None
        if request.model not in known:
            return "unknown_model"
        _validate_against_spec(request, known[request.model])
    except ProtocolError as error:
        return error.code
    return ""


def mutated(rng: random.Random) -> dict[str, Any]:
    """A request with up to three changes, of which some are faults."""
    body = wanted()
    names = [joint["name"] for joint in body["skeleton"]["joints"]]
    frames = sorted(rng.sample(range(90), 3))
    turn, pick = [0.0, 0.0, 0.0, 1.0], rng.choice
    joints = body["skeleton"]["joints"]

    def text(**more: Any) -> dict[str, Any]:
        return {"type": "text", "prompt": pick(["a", "", "x" * 600]), "duration_frames": 30, **more}

    def path(**more: Any) -> list[dict[str, Any]]:
        return [{"type": "root_path", "frames": frames, "positions_xz": [[0, 0]] * 3, **more}]

    def pose(frame: int, *names: str) -> dict[str, Any]:
        return {"type": "pose_keyframe", "frame": frame, "joint_rotations": dict.fromkeys(names, turn)}

    reach = {"type": "effector_target", "joint": pick([*names[-2:], "tail"]), "frames": [3], "positions": [[0, 1, 0]]}
    guidance = {"type": pick(["nocfg", "regular", "separated", "x"]), "weight": [2.0] * pick([0, 1, 2])}
    dials = pick([{"song": SONG}, {"bpm": 120}, {"bpm": 500}, {"bpm": True}, {"lock_beats": 1}, {}])
    changes: list[tuple[str, Any]] = [
        ("protocol_version", pick(["1.0", "1.4", "1.99", "2.0", "0.9", "one", "1", 1.0])),
        ("model", pick(["laban-script", "laban-dance", "kimodo", 3])),
        ("segments", [text(duration_frames=pick([1, 30, 0, -1, 5000, 2.5]))]),
        ("segments", [{"type": "unconditioned", "duration_frames": 30}, text(seed=1)]),
        ("segments", []),
        ("segments", "walk"),
        ("constraints", path(positions_xz=[[0, 0]] * pick([2, 3]))),
        ("constraints", path(frames=frames[::-1])),
        ("constraints", path(heading_radians=[0.0] * pick([0, 2, 3]))),
        ("constraints", [reach]),
        ("constraints", [pose(pick([0, 59, 60, -1]), pick([names[3], "tail"]))]),
        ("constraints", [pose(0)]),
        ("constraints", [pose(1, names[0])] * pick([64, 65])),
        ("duration_frames", pick([0, 60, None])),
        ("timing", {"fps": pick([0, 24, 60, -1, "30", 0.5])}),
        ("options", {"num_samples": pick([0, 1, 8, 9, 16, 17])}),
        ("options", {"diffusion_steps": pick([0, 1, 500, 501]), "transition_frames": pick([0, 60, 61])}),
        ("options", {"guidance": guidance}),
        ("options", {"loop": True}),
        ("options", {"keyframe_budget": pick([0.01, 0, -1])}),
        ("options", {"model_options": dials}),
        ("skeleton", {"joints": joints[: pick([0, 1, 5])]}),
        ("skeleton", {"joints": joints[1:]}),
        ("skeleton", {"joints": [*joints, joints[-1]]}),
        ("skeleton", {**body["skeleton"], "units": pick(["meters", "feet"])}),
    ]
    for name, value in rng.sample(changes, rng.randint(1, 3)):
        body[name] = value
    return body


def test_two_hundred_requests_are_taken_or_refused_as_the_sdk_does() -> None:
    rng = random.Random(18)
    bodies = [mutated(rng) for _ in range(200)]
    found = [(ours(body), theirs(body)) for body in bodies]
    assert [(one, other, body) for (one, other), body in zip(found, bodies, strict=True) if one != other] == []
    assert len({one for one, _ in found}) > 6  # and they are not all refused alike
    assert sum(one == "" for one, _ in found) > 20


@pytest.mark.parametrize("kind", ["pose", "motion_reference", "video_reference"])
def test_segments_that_we_do_not_take_are_named(kind: str) -> None:
    assert ours(wanted(segments=[{"type": kind}])) == "unsupported_segment"


def test_unknown_members_are_no_error() -> None:
    assert ours(wanted(mood="glad", options={"sparkle": 3})) == ""


def test_a_skeleton_of_other_names_and_size_wears_a_motion() -> None:
    skeleton = other_skeleton()
    body = Body(skeleton)
    assert not body.canonical and body.unit == pytest.approx(2.0, rel=0.1)
    frames = 20
    turns = np.zeros((frames, 22, 4))
    turns[..., 0] = 1
    root = np.stack([np.zeros(frames), np.full(frames, 0.95), np.linspace(0, 1, frames)], axis=-1)
    tracks = body.worn(Motion(HUMANML22, turns, root, 20.0))
    assert tracks.rotations.shape == (frames, len(skeleton["joints"]), 4)
    assert np.ptp(tracks.root[:, 2]) == pytest.approx(2.0, rel=0.1)
    assert np.abs(tracks.rotations[..., 3]).min() > 0.9  # at rest stays at rest
    place = {"type": "effector_target", "joint": "LeftHand", "frames": [3], "positions": [[1.0, 2.0, 0.0]]}
    (goal,), left_out = body.our_goals([place])
    assert goal["joint"] == "left_wrist" and left_out == []
    assert goal["positions"][0] == pytest.approx([0.5, 1.0, 0.0], rel=0.1)


MIXAMO = {
    "pelvis": "Hips", "spine1": "Spine", "spine2": "Spine1", "spine3": "Spine2", "neck": "Neck", "head": "Head",
    "collar": "Shoulder", "shoulder": "Arm", "elbow": "ForeArm", "wrist": "Hand", "hip": "UpLeg", "knee": "Leg",
    "ankle": "Foot", "foot": "ToeBase",
}  # fmt: skip


def other_skeleton() -> dict[str, Any]:
    """Ours, under Mixamo's names, twice as large, with a root bone on the floor."""
    joints = [{"name": "Root", "parent": None, "rest_translation": [0, 0, 0], "rest_rotation": [0, 0, 0, 1]}]
    for joint in models.canonical()["joints"]:
        parent = "Root" if joint["parent"] is None else named(joint["parent"])
        offset = [2 * v for v in joint["rest_translation"]]
        joints.append(
            {"name": named(joint["name"]), "parent": parent, "rest_translation": offset, "rest_rotation": [0, 0, 0, 1]}
        )
    return {"joints": joints}


def named(joint: str) -> str:
    """Mixamo's name of a joint."""
    side, _, part = joint.rpartition("_")
    return side.capitalize() + MIXAMO[part]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A service."""
    service = Live(tmp_path_factory.mktemp("mmcp") / "data", "--workers", "1", "--deadline", "900", "--warm")
    service.ready()
    yield service
    assert service.end() == 0
    assert "Traceback" not in Path(service.log).read_text()


def test_the_sdk_reads_our_capabilities(server: Live) -> None:
    found = sdk_client.get_capabilities(server.address)
    assert [ModelSpec(**entry).id for entry in found["models"]] == ["laban-text", "laban-script"]
    assert sdk_client.probe_server(server.address).ok
    joints = found["models"][0]["canonical_skeleton"]["joints"]
    assert joints[0]["rest_translation"][1] > 0.8


def test_the_older_client_gets_the_same_motion(server: Live) -> None:
    older_client = pytest.importorskip("motionmcp_client.client")  # wants numpy 1, so it is not in the extra dev
    body = wanted(options={"num_samples": 1, "seed": 4})
    assert (
        older_client.generate(server.address, body)["buffers"] == sdk_client.generate(server.address, body)["buffers"]
    )


def test_the_client_generates_and_skeletons_of_others_are_answered(server: Live) -> None:
    body = wanted(options={"num_samples": 2, "seed": 4})
    document = sdk_client.generate(server.address, body)
    samples = parse_gltf_samples(document)
    assert len(samples) == 2 and samples[0]["num_frames"] == 60 and samples[0]["fps"] == 30
    assert samples[0]["joint_names"] == list(HUMANML22.names)
    assert samples[0]["foot_contacts"].any()
    accept = {"Accept": "model/gltf-binary"}
    binary = server.client.post("/generate", json=body, headers=accept)
    while binary.status_code == 202:
        binary = server.client.get(binary.headers["location"], headers=accept)
    assert glb_to_gltf(binary.content)["nodes"] == document["nodes"]
    theirs = parse_gltf_samples(sdk_client.generate(server.address, wanted(skeleton=other_skeleton())))[0]
    assert theirs["joint_names"][0] == "Root" and np.ptp(theirs["posed_joints"][:, 0, 2]) > 1.0


def test_a_path_is_followed_and_poses_are_met(server: Live) -> None:
    path = {"type": "root_path", "frames": [0, 90], "positions_xz": [[0, 0], [0.3, 2.4]]}
    walk = [{"type": "text", "prompt": "a person walks forward", "duration_frames": 91}]
    root = parse_gltf_samples(sdk_client.generate(server.address, wanted(segments=walk, constraints=[path])))[0][
        "posed_joints"
    ]
    assert np.linalg.norm(root[90, 0, [0, 2]] - root[0, 0, [0, 2]] - [0.3, 2.4]) < 0.1
    pose = {"type": "pose_keyframe", "frame": 30, "joint_rotations": {"left_elbow": [0.0, 0.0, 0.5, 0.8660254]}}
    made = sdk_client.generate(server.address, wanted(duration_frames=60, constraints=[pose]))
    turns = parse_gltf_samples(made)[0]["local_rot_mats"][30, HUMANML22.index("left_elbow")]
    assert np.degrees(np.arccos(np.clip((np.trace(turns @ _about_z(np.pi / 3).T) - 1) / 2, -1, 1))) < 5


def _about_z(angle: float) -> np.ndarray:
    return np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])


def test_jobs_are_polled_batches_answered_in_order_and_refusals_enveloped(server: Live) -> None:
    later = server.client.post("/generate", json=wanted(), headers={"Prefer": "respond-async"})
    assert later.status_code == 202 and later.headers["retry-after"] == "1"
    document = sdk_client.poll_job(server.address, later.headers["location"], retry_after=0.5)
    assert document["extensions"]["MMCP_motion"]["model"] == "laban-text"
    assert server.client.delete(later.headers["location"]).status_code == 204
    items = [
        {k: v for k, v in wanted(model=name).items() if k != "protocol_version"} for name in ("laban-text", "other")
    ]
    results = server.client.post("/generate", json={"protocol_version": "1.2", "requests": items}).json()["results"]
    assert results[0]["gltf"]["asset"]["version"] == "2.0" and results[1]["error"]["code"] == "unknown_model"
    for content, status, code in [
        (b"{", 422, "schema_validation"), (b"[" * 100, 422, "schema_validation"),
        (b'{"a": NaN}', 422, "schema_validation"),
        (b"x" * (1 << 21), 413, "payload_too_large"),
    ]:  # fmt: skip
        refused = server.client.post("/generate", content=content)
        assert (refused.status_code, refused.json()["error"]["code"]) == (status, code)
    assert server.client.get("/generate/jobs/none").json()["error"]["code"] == "invalid_request"


def test_travel_is_a_point_a_line_or_a_curve() -> None:
    time = np.linspace(0, 3, 91)
    sway = 0.02 * np.sin(12 * time)
    still = trajectory(np.stack([sway, sway, 0 * time], axis=1), 30)
    line = trajectory(np.stack([sway, sway, 1.2 * time], axis=1), 30)
    turn = trajectory(np.stack([1 - np.cos(time / 2), sway, np.sin(time / 2)], axis=1), 30)
    loop = trajectory(np.stack([sway, sway, 1.2 * time], axis=1), 30, loop=True)
    assert [found["model"] for found in (still, line, turn, loop)] == ["still", "line", "bezier", "line"]
    assert line["params"]["speed"] == pytest.approx(1.2, abs=0.02)
    assert turn["yaw"][0] == 0 and turn["yaw"][-1] == pytest.approx(1.5, abs=0.1)
    assert np.abs(np.array(turn["position"])[:, 0] - (1 - np.cos(time / 2))).max() < 0.05
    assert loop["position"][-1][1] - loop["position"][0][1] == pytest.approx(3.6)
