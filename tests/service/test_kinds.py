"""What requests may name: every field that could hold a file's name is known, and goes through the owner's files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from laban.actions.fields import flat, from_json, schema
from laban.actions.options import bounded, described
from laban.authoring.timeline import Source, Timeline
from laban.errors import InputError
from laban.service import kinds
from laban.service.files import Files, hidden
from laban.service.guard import Guard
from laban.service.kinds import KINDS, MAY_NAME_FILES, WRITTEN, files_of, kind_of
from laban.service.metrics import Metrics
from laban.service.problems import MEDIA_TYPE
from laban.service.results import TELLERS
from laban.service.settings import ServeOptions
from laban.service.strict import DEPTH, parse
from laban.systems.options import Bounds

READ = {
    "text_encoder", "prompts", "library", "character", "map", "source_map", "file", "song", "seed_motion", "source",
    "then", "a", "b", "from_frames", "clip", "folder", "like", "phrases", "timeline",
}  # fmt: skip
WORDS = {
    "text", "licence", "precision", "lines", "range", "root", "path", "reach", "only", "solver", "name", "clip",
    "style", "classes", "parts", "up", "units", "person",
}  # fmt: skip


def test_every_field_is_judged_before_a_client_may_give_it() -> None:
    """A new field that holds text or a path must be entered here, or in `kinds`, after a look at what reads it."""
    for kind in KINDS.values():
        reads = set(files_of(kind))
        texts = {field.name for field, hint in flat(kind.options) if "str" in str(hint) or "Literal" in str(hint)}
        assert reads <= READ, (kind.name, reads - READ)
        assert texts - WRITTEN - reads - set(MAY_NAME_FILES) <= WORDS, (kind.name, texts)
        assert kind.name in TELLERS


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """A folder with a clip, and one beside it that may not be read."""
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "walk.bvh").write_text("x")
    (tmp_path / "secret.bvh").write_text("x")
    return Files(tmp_path / "root", lambda _: None, lambda *_: None)


@pytest.mark.parametrize("field", MAY_NAME_FILES)
@pytest.mark.parametrize("name", ["../secret.bvh", "/etc/passwd.bvh"])
def test_texts_that_name_files_reach_nothing_outside(files: Files, field: str, name: str) -> None:
    written = f"{name}=1.0" if field == "pose" else name
    with pytest.raises(InputError, match=r"outside|neither a known model"):
        kinds.named(field, written, files)


def test_poses_keep_their_seconds(files: Files) -> None:
    path = files.root / "walk.bvh" if files.root else Path()
    assert kinds.named("start_pose", "walk.bvh@1.5", files) == f"{path}@1.5"
    assert kinds.named("pose", "walk.bvh@1.5=4", files) == f"{path}@1.5=4"
    assert kinds.named("plus", "happily", files) == "happily"


def test_files_in_a_timeline_are_those_of_its_owner(files: Files, tmp_path: Path) -> None:
    document = tmp_path / "root" / "a.json"
    Timeline(2.0, source=Source("../secret.bvh")).write(document)
    with pytest.raises(InputError, match="outside"):
        kind_of("author").read({"timeline": "a.json"}, files)
    Timeline(2.0, source=Source("walk.bvh")).write(document)
    options = kind_of("author").read({"timeline": "a.json"}, files)
    assert options.timeline.source.file == str(tmp_path / "root" / "walk.bvh")


def test_paths_of_this_machine_are_not_told(tmp_path: Path) -> None:
    named = {"walk.bvh": str(tmp_path / "root" / "walk.bvh")}
    said = hidden(f"{named['walk.bvh']}: is broken; {tmp_path}/job/out.glb", named, tmp_path / "job")
    assert said == "walk.bvh: is broken; out.glb"


@dataclass(frozen=True)
class Hats:
    """Options."""

    size: int = bounded(3, Bounds(1, 9, whole=True), "How large.")
    price: float | None = bounded(None, Bounds(0, 10), "How dear.")
    who: tuple[str, ...] = described((), "Whose.")
    at: Path | None = described(None, "Where.")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"size": 0}, "--size is 0, expected a whole number from 1 to 9."),
        ({"size": True}, "--size is True, expected a whole number."),
        ({"size": 2.5}, "--size is 2.5, expected a whole number."),
        ({"size": None}, "--size is None, expected a whole number."),
        ({"price": "x"}, "--price is 'x', expected a number."),
        ({"price": 10**400}, "--price is"),
        ({"who": "Ann"}, "--who is 'Ann', expected a list."),
        ({"who": [1]}, "--who is 1, expected a text."),
        ({"at": 3}, "--at is 3, expected the name of a file."),
        ({"sise": 1}, "there is no option 'sise'. Did you mean 'size'?"),
    ],
)
def test_json_is_held_to_the_fields(given: dict[str, object], said: str) -> None:
    with pytest.raises(InputError) as error:
        from_json(Hats, given, Path)
    assert str(error.value).startswith(said)


def test_json_becomes_options_and_the_schema_says_how() -> None:
    assert from_json(Hats, {"size": 4.0, "price": None, "who": ["Ann"], "at": "x"}, Path) == Hats(
        4, None, ("Ann",), Path("x")
    )
    made = schema(Hats, {"at"})
    assert made["properties"]["size"] == {
        "type": "integer", "minimum": 1, "maximum": 9, "description": "How large.", "default": 3
    }  # fmt: skip
    assert list(made["properties"]) == ["size", "price", "who"] and made["additionalProperties"] is False


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b"NaN", b"[1e999]", b'{"a": Infinity}', b'"\\ud800"',
     b"[" * (DEPTH + 1) + b"]" * (DEPTH + 1), b"1" * 5000],
)  # fmt: skip
def test_what_is_no_json_is_malformed(body: bytes) -> None:
    from laban.service.problems import Problem

    with pytest.raises(Problem) as error:
        parse(body)
    assert error.value.status == 400


def test_brackets_in_texts_are_no_depth() -> None:
    assert parse(json.dumps({"text": "[" * 500}).encode()) == {"text": "[" * 500}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"host": "0.0.0.0"}, "--token-file"),
        ({"warm": ("kmmm",)}, "kmm"),
        ({"origin": ("https://a.example/",)}, "--origin"),
        ({"port": 70_000}, "--port"),
        ({"root": Path("/absent")}, "--root"),
    ],
)
def test_settings_that_cannot_be_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        ServeOptions(**options).checked()  # type: ignore[arg-type]


TWICE = r"a x-0123456789abcdef%b x-0123456789abcdef%"


@pytest.mark.parametrize("lines", ["", "# nothing", "ann short", "a b c-0123456789abcdef", TWICE])
def test_token_files_are_strict(tmp_path: Path, lines: str) -> None:
    (tmp_path / "tokens").write_text(lines.replace("%", chr(10)))
    with pytest.raises(InputError, match="--token-file"):
        ServeOptions(token_file=tmp_path / "tokens").tokens()


async def asked(guard: Guard, method: str = "GET", path: str = "/v1/jobs", **headers: str) -> int:
    """The status of a request."""
    found: list[int] = []

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            found.append(int(str(message["status"])))

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    pairs = [
        (name.replace("_", "-").encode(), value.encode()) for name, value in {"host": "localhost:1", **headers}.items()
    ]
    await guard({"type": "http", "method": method, "path": path, "headers": pairs}, receive, send)  # type: ignore[arg-type]
    return found[0]


def test_who_may_call(tmp_path: Path) -> None:
    import asyncio

    async def app(scope: object, receive: object, send: object) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]

    def guard(**options: object) -> Guard:
        settings = ServeOptions(**options)  # type: ignore[arg-type]
        return Guard(app, settings, Metrics(), lambda _, problem: (problem.status, MEDIA_TYPE, problem.record()))

    (tmp_path / "tokens").write_text("ann ann-0123456789abcdef\n")
    plain, origin = guard(), guard(origin=("https://studio.example",))
    tokens = guard(token_file=tmp_path / "tokens")

    async def all_of_them() -> list[int]:
        return [
            await asked(plain), await asked(plain, host="evil.example"), await asked(plain, origin="https://evil.example"),
            await asked(plain, origin="null"), await asked(plain, origin="http://localhost:1"),
            await asked(origin, origin="https://studio.example"),
            await asked(origin, "OPTIONS", origin="https://studio.example", access_control_request_method="POST"),
            await asked(origin, "OPTIONS", origin="https://evil.example", access_control_request_method="POST"),
            await asked(tokens), await asked(tokens, authorization="Bearer wrong"),
            await asked(tokens, authorization="Bearer ann-0123456789abcdef"), await asked(tokens, path="/healthz"),
            await asked(plain, "POST", content_length=str(2 << 20)), await asked(plain, "POST", content_length="-1"),
        ]  # fmt: skip

    assert asyncio.run(all_of_them()) == [200, 403, 403, 403, 200, 200, 204, 403, 401, 401, 200, 200, 413, 413]
