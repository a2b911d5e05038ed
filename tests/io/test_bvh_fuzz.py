"""Bad BVH: whatever the bytes, `read` gives a Motion or one clear line, soon and in bounded memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from laban.errors import FormatError, LabanError
from laban.io import bvh, bvh_parse
from laban.motion.motion import Motion
from laban.motion.skeleton import MAX_JOINTS

GOOD = b"""HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Spine
  {
    OFFSET 0 10 0
    CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 20 0
    }
  }
  JOINT Leg
  {
    OFFSET 3 -10 0
    CHANNELS 3 Zrotation Xrotation Yrotation
  }
}
MOTION
Frames: 3
Frame Time: 0.0333333
0 90 0 0 0 0 0 10 0 1 2 3 4 5 6
1 91 2 0 0 90 0 10 0 90 0 0 7 8 9
2 91 2 0 0 90 0 10 0 90 0 0 7 8 9
"""


def outcome(path: Path, data: bytes) -> Motion | LabanError:
    path.write_bytes(data)
    try:
        motion = bvh.read(path)
    except LabanError as error:
        assert "\n" not in str(error) and len(str(error)) < 600
        return error
    assert np.isfinite(motion.joints()).all() and motion.frames > 0
    return motion


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "fuzz.bvh"


def test_the_good_file_is_good(file):
    assert isinstance(outcome(file, GOOD), Motion)


BAD = {
    "empty": (b"", "empty"),
    "blank": (b" \n\t\n", "empty"),
    "binary": (bytes(range(256)) * 20, "not a BVH file"),
    "zip": (b"PK\x03\x04" + b"\0" * 100, "not a BVH file"),
    "header only": (GOOD[: GOOD.index(b"MOTION")], "no MOTION"),
    "cut header": (GOOD[:150], "no MOTION"),
    "cut braces": (GOOD.replace(b"  }\n}\nMOTION", b"MOTION"), "truncated"),
    "no frames line": (GOOD.replace(b"Frames: 3\n", b""), "Frames"),
    "no frame time": (GOOD.replace(b"Frame Time: 0.0333333\n", b""), "Frame Time"),
    "zero frames": (GOOD.replace(b"Frames: 3", b"Frames: 0"), "above 0"),
    "minus frames": (GOOD.replace(b"Frames: 3", b"Frames: -3"), "above 0"),
    "frames beyond": (GOOD.replace(b"Frames: 3", b"Frames: " + b"9" * 5000), "above 0"),
    "frame time 0": (GOOD.replace(b"0.0333333", b"0"), "Frame Time"),
    "frame time -1": (GOOD.replace(b"0.0333333", b"-1"), "Frame Time"),
    "frame time nan": (GOOD.replace(b"0.0333333", b"nan"), "Frame Time"),
    "frame time word": (GOOD.replace(b"0.0333333", b"soon"), "Frame Time"),
    "nan": (GOOD.replace(b"1 91 2", b"1 nan 2"), "frame 1, channel 1 is nan"),
    "inf": (GOOD.replace(b"1 91 2", b"1 -inf 2"), "frame 1, channel 1 is -inf"),
    "overflow": (GOOD.replace(b"1 91 2", b"1 1e999 2"), "frame 1, channel 1 is inf"),
    "word in motion": (GOOD.replace(b"1 91 2", b"1 up 2"), "'up'"),
    "comma": (GOOD.replace(b"1 91 2", b"1 9,1 2"), "'9,1'"),
    "null byte": (GOOD.replace(b"1 91 2", b"1 \0 2"), "x00"),
    "row too short": (GOOD.replace(b"7 8 9\n2", b"7 8\n9 2"), "frame 1 has 14 numbers"),
    "unknown channel": (GOOD.replace(b"3 Zrotation", b"3 Wrotation"), "unknown channel 'Wrotation'"),
    "channel twice": (GOOD.replace(b"Xposition Yposition", b"Xposition Xposition", 1), "twice"),
    "fewer channels than said": (GOOD.replace(b"CHANNELS 3", b"CHANNELS 2"), "unknown word 'Yrotation'"),
    "more channels than said": (GOOD.replace(b"CHANNELS 3", b"CHANNELS 5"), "unknown channel '}'"),
    "seven channels": (GOOD.replace(b"CHANNELS 3", b"CHANNELS 7"), "0 to 6"),
    "minus channels": (GOOD.replace(b"CHANNELS 3", b"CHANNELS -3"), "0 to 6"),
    "a million channels": (GOOD.replace(b"CHANNELS 3", b"CHANNELS 1000000"), "0 to 6"),
    "two roots": (GOOD.replace(b"MOTION", GOOD[10 : GOOD.index(b"MOTION")] + b"MOTION"), "need 90"),
    "no root": (b"HIERARCHY\nMOTION\nFrames: 1\nFrame Time: 0.1\n1\n", "ROOT was expected"),
    "no name": (GOOD.replace(b"JOINT Leg", b"JOINT"), "without a name"),
    "no offset": (GOOD.replace(b"    OFFSET 3 -10 0\n", b""), "'Leg' has no OFFSET"),
    "short offset": (GOOD.replace(b"OFFSET 3 -10 0", b"OFFSET 3 -10"), "OFFSET value is 'CHANNELS'"),
    "nan offset": (GOOD.replace(b"OFFSET 3 -10 0", b"OFFSET 3 nan 0"), "OFFSET value is 'nan'"),
    "channels in an end": (GOOD.replace(b"OFFSET 0 20 0", b"OFFSET 0 20 0\nCHANNELS 1 Xrotation"), "End Site"),
    "no channels at all": (b"HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\n}\nMOTION\nFrames: 1\nFrame Time: 1\n", "channel"),
    "one brace too many": (GOOD.replace(b"MOTION", b"}\nMOTION"), "after the hierarchy"),
    "bad utf-8 in a number": (GOOD.replace(b"1 91 2", b"1 \xff\xfe 2"), "not a number"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_one_clear_line(file, case):
    data, message = BAD[case]
    error = outcome(file, data)
    assert isinstance(error, FormatError)
    assert message in str(error) and str(file) in str(error)


MENDED = {
    "cut motion": (GOOD[:-12], 2),
    "too many frames": (GOOD.replace(b"Frames: 3", b"Frames: 4"), 3),
    "too few frames": (GOOD.replace(b"Frames: 3", b"Frames: 2"), 2),
    "endless frames": (GOOD.replace(b"Frames: 3", b"Frames: 99999999999"), 3),
    "duplicate names": (GOOD.replace(b"JOINT Leg", b"JOINT Spine"), 3),
    "its own child": (GOOD.replace(b"JOINT Leg", b"JOINT Hips"), 3),
}


@pytest.mark.parametrize("case", MENDED)
def test_what_can_be_mended_is_read_and_told(file, case):
    data, frames = MENDED[case]
    motion = outcome(file, data)
    assert isinstance(motion, Motion) and motion.frames == frames
    assert len(set(motion.skeleton.names)) == len(motion.skeleton.names)
    assert motion.notes


def nested(count: int) -> bytes:
    body = b"\n{\nOFFSET 0 1 0\nCHANNELS 3 Zrotation Xrotation Yrotation\n"
    head = b"HIERARCHY\nROOT r" + body + b"".join(b"JOINT j%d" % i + body for i in range(count))
    zeros = b"0 " * (3 * count + 3)
    return head + b"}\n" * (count + 1) + b"MOTION\nFrames: 1\nFrame Time: 0.1\n" + zeros + b"\n"


def test_deep_nesting_does_not_recurse(file):
    motion = outcome(file, nested(990))
    assert isinstance(motion, Motion) and len(motion.skeleton) == 991
    bvh.write(motion, file)
    assert isinstance(outcome(file, file.read_bytes()), Motion)


def test_a_million_joints_end_early_in_little_memory(file):
    joint = b"JOINT j\n{\nOFFSET 0 1 0\n"
    data = nested(MAX_JOINTS)
    place = data.index(b"}")
    data = data[:place] + joint * (1_000_000 - MAX_JOINTS) + data[place:]
    file.write_bytes(data)
    tracemalloc.start()
    with pytest.raises(FormatError, match=f"more than {MAX_JOINTS} joints") as caught:
        bvh.read(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "line 4003" in str(caught.value)  # the rest was not looked at
    assert peak < 6 * len(data) + 2**24


def test_an_endless_line_costs_little_memory(file, monkeypatch):
    file.write_bytes(GOOD.replace(b"JOINT Leg", b"JOINT " + b"a " * 500_000))
    tracemalloc.start()
    with pytest.raises(FormatError, match="more than 200 words"):
        bvh.read(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * file.stat().st_size
    monkeypatch.setattr(bvh_parse, "LONG_LINE", 10)
    assert isinstance(outcome(file, GOOD), Motion)
    assert isinstance(outcome(file, GOOD.replace(b"9\n", b"9 ")), Motion)  # all frames in one line
    assert isinstance(outcome(file, GOOD.replace(b"1 91 2", b"1 2")), FormatError)


def test_declared_frames_allocate_nothing(file):
    file.write_bytes(GOOD.replace(b"Frames: 3", b"Frames: 40000000000"))
    tracemalloc.start()
    assert bvh.read(file).frames == 3
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


def test_a_file_that_is_too_large_is_not_read(file, monkeypatch):
    monkeypatch.setattr(bvh, "MAX_BYTES", 100)
    assert "MiB" in str(outcome(file, GOOD))


QUIET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@QUIET
@given(st.binary(max_size=2000))
@example(b"HIERARCHY")
@example(b"\xef\xbb\xbfHIERARCHY\nMOTION\n")
def test_any_bytes(file, data):
    outcome(file, data)


@QUIET
@given(st.data())
def test_any_mutation_of_a_good_file(file, data):
    content = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(content)))
        stop = min(len(content), start + data.draw(st.integers(0, 30)))
        content[start:stop] = data.draw(st.binary(max_size=12))
    outcome(file, bytes(content))


WORDS = [
    b"HIERARCHY", b"ROOT", b"JOINT", b"End Site", b"{", b"}", b"OFFSET", b"CHANNELS", b"3", b"6", b"1e9", b"nan", b"-1",
    b"Zrotation", b"Xrotation", b"Yposition", b"MOTION", b"Frames:", b"Frame Time:", b"a", b"\n", b"\r", b"\t", b"0",
    b"1e300", b"MOTION\nFrames: 1\nFrame Time: 1\n", b"OFFSET 0 0 0", b"CHANNELS 1 Xrotation", b"\nMOTION\n",
]  # fmt: skip


@QUIET
@given(st.lists(st.sampled_from(WORDS), max_size=60))
def test_any_sentence_of_its_own_words(file, words):
    outcome(file, b"HIERARCHY\nROOT a\n{\n" + b" ".join(words))


@QUIET
@given(st.data())
def test_any_tokens_exchanged(file, data):
    tokens = GOOD.split(b" ")
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(tokens) - 1))
        action = data.draw(st.sampled_from(["drop", "twice", "word"]))
        if action == "drop" and len(tokens) > 1:
            del tokens[place]
        elif action == "twice":
            tokens.insert(place, tokens[place])
        else:
            tokens[place] = data.draw(st.sampled_from(WORDS))
    outcome(file, b" ".join(tokens))
