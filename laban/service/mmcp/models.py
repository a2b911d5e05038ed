"""The models that clients may name, what each takes, and requests checked against that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from laban.motion.skeletons import HUMANML22
from laban.service.mmcp.errors import Refused
from laban.service.mmcp.schema import Generate, PoseKeyframe, parsed
from laban.service.settings import MAX_FRAMES
from laban.systems.sentences import MAX_CHARACTERS

VERSION = "1.4"
FPS = 30.0  # clients whose scenes have another rate send timing.fps
CONTACTS = ("left_ankle", "right_ankle", "left_foot", "right_foot")
MOST_SAMPLES = 8
MOST_SONGS = 32
OTHER_SEGMENTS = ("pose", "motion_reference", "video_reference")
OTHER_CONSTRAINTS = ("ground_height",)


def canonical() -> dict[str, Any]:
    """Our 22 joints at rest: a T-pose that stands on the floor and faces +Z."""
    skeleton = HUMANML22
    places = skeleton.offsets.copy()
    for joint, parent in enumerate(skeleton.parents):
        if parent >= 0:
            places[joint] += places[parent]
    height = float(-places[:, 1].min())
    joints = []
    for joint, name in enumerate(skeleton.names):
        parent = skeleton.parents[joint]
        offset = [round(float(v), 6) for v in skeleton.offsets[joint]] if parent >= 0 else [0.0, round(height, 6), 0.0]
        joints.append({
            "name": name, "parent": skeleton.names[parent] if parent >= 0 else None, "rest_translation": offset,
            "rest_rotation": [0.0, 0.0, 0.0, 1.0],
        })  # fmt: skip
    return {"joints": joints, "coordinate_system": "right_handed_y_up", "units": "meters"}


def models(songs: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Id -> entry of /capabilities.

    Args:
        songs: SHA-256 of the caller's songs.
    """
    common = {
        "fps": FPS, "canonical_skeleton": canonical(), "supports_retargeting": True,
        "supports_joint_translation": False, "supports_async": True, "supports_keyframe_reduction": False,
        "supports_motion_reference_mixed": False, "supports_batch": True, "supports_trajectory": True,
        "predicted_contact_joints": list(CONTACTS), "supported_guidance_types": ["nocfg", "regular"],
        "chunking": "none",
    }  # fmt: skip
    all_constraints = ["root_path", "effector_target", "pose_keyframe"]
    found = {
        "laban-text": {
            "supports_segment_seed": True, "supports_loop": True, "supported_constraints": all_constraints,
            "supported_segments": ["text", "unconditioned"], "native_clip_seconds": 9.8,
            "recommended_max_duration_seconds": 9.8, "limits": limits(30.0),
        },
        "laban-script": {
            "supports_segment_seed": True, "supports_loop": False, "supported_constraints": [],
            "supported_segments": ["text", "unconditioned"], "native_clip_seconds": 10.0,
            "recommended_max_duration_seconds": 60.0, "limits": limits(600.0),
        },
    }  # fmt: skip
    if songs:
        dials = [
            {"name": "song", "type": "enum", "title": "Song", "description": "SHA-256 of an uploaded song.",
             "default": songs[0], "values": list(songs[:MOST_SONGS])},
            {"name": "bpm", "type": "number", "title": "Tempo", "description": "Beats per minute, if it is known.",
             "minimum": 40.0, "maximum": 240.0},
            {"name": "lock_beats", "type": "boolean", "title": "Lock to beats",
             "description": "Bend the dance's clock so that its rests fall on beats.", "default": True},
        ]  # fmt: skip
        found["laban-dance"] = {
            "supports_segment_seed": False, "supports_loop": False, "supported_constraints": [],
            "supported_segments": ["unconditioned"], "native_clip_seconds": 10.0,
            "recommended_max_duration_seconds": 60.0, "limits": limits(600.0), "model_options": dials,
        }  # fmt: skip
    return {name: {"id": name, **common, **entry} for name, entry in found.items()}


def limits(seconds: float) -> dict[str, Any]:
    """Of a model whose motions last at most so many seconds."""
    return {
        "max_duration_seconds": seconds, "max_num_samples": MOST_SAMPLES, "max_constraints_per_request": 64,
        "max_prompt_length": MAX_CHARACTERS, "max_request_bytes": 1 << 20, "max_batch_size": 16,
    }  # fmt: skip


def capabilities(songs: Sequence[str]) -> dict[str, Any]:
    """The answer to GET /capabilities."""
    return {
        "protocol_version": VERSION, "rotation_format": "quaternion_xyzw", "coordinate_system": "right_handed_y_up",
        "units": "meters", "response_formats": ["gltf_2.0_json"], "models": list(models(songs).values()),
    }  # fmt: skip


def checked(body: Any, songs: Sequence[str]) -> Generate:
    """A request that can be done.

    Args:
        body: JSON.
        songs: SHA-256 of the caller's songs.
    Raises: Refused.
    """
    known = models(songs)
    if isinstance(body, dict):
        check_version(body.get("protocol_version"))
        _check_kinds(body, known)
    request = parsed(body)
    if request.model not in known:
        raise Refused("unknown_model", f"there is no model {request.model!r} here.", available_models=sorted(known))
    entry = known[request.model]
    for segment in request.segments:
        if segment.type not in entry["supported_segments"]:
            raise _unsupported("segment", segment.type, entry)
    _check_options(request, entry)
    _check_constraints(request, entry)
    limit = entry["limits"]
    if request.options is not None and request.options.num_samples > limit["max_num_samples"]:
        asked = request.options.num_samples
        raise Refused("invalid_options", f"num_samples is {asked}; at most {MOST_SAMPLES} are made.")
    for segment in request.segments:
        if segment.type == "text" and len(segment.prompt) > limit["max_prompt_length"]:
            most = limit["max_prompt_length"]
            raise Refused("invalid_options", f"a prompt has {len(segment.prompt)} characters; at most {most} are read.")
    count = request.options.num_samples if request.options is not None else 1
    if request.frames * count > MAX_FRAMES:
        raise Refused("invalid_options", f"{request.frames * count} frames in all; at most {MAX_FRAMES} are made.")
    seconds = request.frames / (request.timing.fps if request.timing is not None else FPS)
    if seconds > limit["max_duration_seconds"]:
        most = limit["max_duration_seconds"]
        raise Refused("invalid_options", f"{seconds:.2f} s were asked for; {request.model} makes at most {most:g} s.")
    return request


def check_version(version: Any) -> None:
    """Raises Refused for a version of another major number; what is no version is left to the schema."""
    if isinstance(version, str) and version.replace(".", "", 1).isascii() and version.replace(".", "", 1).isdigit():
        major, dot, minor = version.partition(".")
        if dot and minor and major and int(major[:9]) != 1:
            said = f"protocol version {version[:20]} is not spoken here; every 1.x is."
            raise Refused("version_unsupported", said, supported_majors=["1"])


def _check_kinds(body: dict[str, Any], known: dict[str, dict[str, Any]]) -> None:
    """Refuses kinds of segments and constraints that the protocol has and the named model does not take."""
    entry = known.get(str(body.get("model"))) or known["laban-text"]
    for member, others in (("segment", OTHER_SEGMENTS), ("constraint", OTHER_CONSTRAINTS)):
        several = body.get(f"{member}s")
        for each in several if isinstance(several, list) else ():
            if isinstance(each, dict) and each.get("type") in others:
                raise _unsupported(member, each["type"], entry)


def _unsupported(member: str, kind: str, entry: dict[str, Any]) -> Refused:
    able = entry[f"supported_{member}s"]
    said = f"{entry['id']} takes no {member} of the type {kind}; it takes {', '.join(able) or 'none'}."
    return Refused(f"unsupported_{member}", said, **{f"supported_{member}s": able})


def _check_options(request: Generate, entry: dict[str, Any]) -> None:
    options = request.options
    if options is None:
        return
    _check_dials(options.model_options or {}, entry)
    if options.keyframe_budget is not None:
        raise Refused("invalid_options", f"{entry['id']} keys every frame; leave keyframe_budget out.")
    if options.loop and not entry["supports_loop"]:
        raise Refused("invalid_options", f"{entry['id']} makes no loops; leave loop out.")
    if options.loop and len(request.segments) != 1:
        raise Refused("invalid_options", "a loop has exactly one segment.", segments=len(request.segments))


def _check_dials(given: dict[str, Any], entry: dict[str, Any]) -> None:
    dials = {dial["name"]: dial for dial in entry.get("model_options", ())}
    for name, value in given.items():
        dial = dials.get(name)
        if dial is None:
            raise Refused("invalid_options", f"{entry['id']} has no option {name!r}.", model_options=sorted(dials))
        if not _fits(dial, value):
            raise Refused("invalid_options", f"{name} is {str(value)[:80]}, which is not what the model declares.")


def _fits(dial: dict[str, Any], value: Any) -> bool:
    if dial["type"] == "enum":
        return value in dial["values"]
    if dial["type"] == "boolean" or isinstance(value, bool):
        return dial["type"] == "boolean" and isinstance(value, bool)
    return isinstance(value, int | float) and dial["minimum"] <= value <= dial["maximum"]


def _check_constraints(request: Generate, entry: dict[str, Any]) -> None:
    names = {joint.name for joint in request.skeleton.joints}
    for each in request.constraints:
        if each.type not in entry["supported_constraints"]:
            raise _unsupported("constraint", each.type, entry)
        asked = {"effector_target": lambda c: [c.joint], "pose_keyframe": lambda c: list(c.joint_rotations)}
        for joint in asked.get(each.type, lambda _: [])(each):
            if joint not in names:
                raise Refused("unknown_joint", f"the skeleton has no joint {joint!r}.", skeleton_joints=sorted(names))
        for frame in [each.frame] if isinstance(each, PoseKeyframe) else each.frames:
            if not 0 <= frame < request.frames:
                said = f"frame {frame} lies outside 0 to {request.frames - 1}."
                raise Refused("frame_out_of_range", said, frame=frame, total_frames=request.frames)
    if len(request.constraints) > entry["limits"]["max_constraints_per_request"]:
        raise Refused("invalid_options", f"{len(request.constraints)} constraints; at most 64 are taken.")
