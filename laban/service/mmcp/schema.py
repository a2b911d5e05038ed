"""What requests hold. Unknown members are kept apart and told of in notes, as the protocol recommends."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from laban.service.mmcp.errors import Refused

XYZ = tuple[float, float, float]
XYZW = tuple[float, float, float, float]


class Part(BaseModel):
    """A part of a request, which may hold more than we know."""

    model_config = ConfigDict(extra="allow")


class Joint(Part):
    """A joint; `rest_translation` is its rest position minus its parent's, along the axes of the world."""

    name: str = Field(min_length=1, max_length=128)
    parent: str | None = None
    rest_translation: XYZ
    rest_rotation: XYZW
    display_name: str | None = Field(None, max_length=256)


class SkeletonPart(Part):
    """The skeleton that the answer is for; parents first, one root."""

    joints: list[Joint] = Field(min_length=1)
    coordinate_system: Literal["right_handed_y_up"] = "right_handed_y_up"
    units: Literal["meters"] = "meters"

    @model_validator(mode="after")
    def _tree(self) -> SkeletonPart:
        seen: set[str] = set()
        for joint in self.joints:
            if joint.name in seen:
                raise PydanticCustomError("invalid_skeleton", "two joints have one name")
            if joint.parent is not None and joint.parent not in seen:
                raise PydanticCustomError("invalid_skeleton", "a joint stands before its parent, or has none")
            seen.add(joint.name)
        if sum(joint.parent is None for joint in self.joints) != 1:
            raise PydanticCustomError("invalid_skeleton", "exactly one joint must be the root")
        return self


class TextSegment(Part):
    """What happens for some frames."""

    type: Literal["text"]
    prompt: str = Field(min_length=1)
    duration_frames: int = Field(gt=0)
    language: str | None = "en"
    seed: int | None = None


class UnconditionedSegment(Part):
    """Frames of which nothing is said."""

    type: Literal["unconditioned"]
    duration_frames: int = Field(gt=0)
    seed: int | None = None


class RootPath(Part):
    """Where the root is over the floor at some frames."""

    type: Literal["root_path"]
    frames: list[int] = Field(min_length=1)
    positions_xz: list[tuple[float, float]] = Field(min_length=1)
    heading_radians: list[float] | None = None

    @model_validator(mode="after")
    def _lengths(self) -> RootPath:
        if len(self.positions_xz) != len(self.frames) or len(self.heading_radians or self.frames) != len(self.frames):
            raise ValueError("frames, positions_xz and heading_radians must be of one length")
        if self.heading_radians is not None and len(self.heading_radians) != len(self.frames):
            raise ValueError("heading_radians must be as long as frames")
        if any(b <= a for a, b in zip(self.frames, self.frames[1:], strict=False)):
            raise ValueError("frames must rise")
        return self


class EffectorTarget(Part):
    """Where a joint is at some frames."""

    type: Literal["effector_target"]
    joint: str
    frames: list[int] = Field(min_length=1)
    positions: list[XYZ] = Field(min_length=1)
    rotations: list[XYZW] | None = None

    @model_validator(mode="after")
    def _lengths(self) -> EffectorTarget:
        several = [self.positions] + ([] if self.rotations is None else [self.rotations])
        if any(len(each) != len(self.frames) for each in several):
            raise ValueError("frames, positions and rotations must be of one length")
        return self


class PoseKeyframe(Part):
    """A pose at a frame."""

    type: Literal["pose_keyframe"]
    frame: int = Field(ge=0)
    joint_rotations: dict[str, XYZW] = Field(min_length=1)
    root_position: XYZ | None = None
    fill_mode: Literal["rest", "generate"] = "generate"


class Guidance(Part):
    """How strongly the words are followed."""

    type: Literal["nocfg", "regular", "separated"]
    weight: list[float] = []

    @model_validator(mode="after")
    def _weights(self) -> Guidance:
        wanted = {"nocfg": 0, "regular": 1, "separated": 2}[self.type]
        if len(self.weight) != wanted:
            raise ValueError(f"{self.type} guidance has {wanted} weights")
        return self


class Options(Part):
    """How motions are made."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())
    diffusion_steps: int = Field(100, ge=1, le=500)
    num_samples: int = Field(1, ge=1, le=16)
    seed: int | None = None
    post_processing: bool = True
    transition_frames: int = Field(5, ge=0, le=60)
    guidance: Guidance | None = None
    loop: bool = False
    keyframe_budget: float | None = Field(None, gt=0)
    model_options: dict[str, Any] | None = None


class Timing(Part):
    """The clock of the request's frames."""

    fps: float = Field(gt=0)


Segment = Annotated[TextSegment | UnconditionedSegment, Field(discriminator="type")]
Constraint = Annotated[RootPath | EffectorTarget | PoseKeyframe, Field(discriminator="type")]


class Generate(Part):
    """A request for motions."""

    protocol_version: str = Field(pattern=r"^\d+\.\d+$")
    model: str
    skeleton: SkeletonPart
    segments: list[Segment] = []
    constraints: list[Constraint] = []
    duration_frames: int | None = Field(None, gt=0)
    timing: Timing | None = None
    options: Options | None = None

    @model_validator(mode="after")
    def _whole(self) -> Generate:
        if not self.segments and not self.constraints:
            raise ValueError("segments or constraints must be given")
        if bool(self.segments) == (self.duration_frames is not None):
            raise ValueError("duration_frames is given if, and only if, there are no segments")
        return self

    @property
    def frames(self) -> int:
        """Of the motion."""
        return sum(segment.duration_frames for segment in self.segments) or self.duration_frames or 0


def parsed(body: Any) -> Generate:
    """The request in a JSON value. Raises: Refused, invalid_skeleton or schema_validation."""
    try:
        return Generate.model_validate(body)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False, include_context=False)
        code = "invalid_skeleton" if any(f["type"] == "invalid_skeleton" for f in faults) else "schema_validation"
        first = faults[0]
        where = ".".join(str(part) for part in first["loc"]) or "the request"
        listed = [{"where": ".".join(map(str, f["loc"])), "message": f["msg"]} for f in faults[:20]]
        raise Refused(code, f"{where}: {first['msg']}.", errors=listed) from None


def unknown_members(part: Any, where: str = "") -> list[str]:
    """The members of a request that we do not know."""
    found: list[str] = []
    if isinstance(part, list):
        for number, each in enumerate(part):
            found += unknown_members(each, f"{where}[{number}]")
    elif isinstance(part, BaseModel):
        found += [f"{where}.{name}".lstrip(".") for name in part.model_extra or {}]
        for name in type(part).model_fields:
            found += unknown_members(getattr(part, name), f"{where}.{name}")
    return found
