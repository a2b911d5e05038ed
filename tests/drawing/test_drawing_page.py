"""The page stands alone, holds the motion exactly enough, and draws in a real browser where one is installed."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image
from test_film import wave

from laban.drawing import page
from laban.errors import InputError
from laban.figure.mesh import mannequin
from laban.motion import kinematics
from laban.motion.motion import Segment


class Page(HTMLParser):
    """Collects the tags with their attributes, and the text of each script."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.scripts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.tags and self.tags[-1][0] == "script":
            self.scripts.append(data)


def unpack(text: str, kind: str, *shape: int) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), kind).reshape(shape)


def test_the_page_needs_nothing_else_and_is_small(tmp_path):
    path = tmp_path / "a.html"
    page.write(wave(6.0, fps=30), path)
    text = path.read_text(encoding="utf-8")
    assert len(text) < 1_500_000
    assert not re.search(r"https?:|//[a-z0-9-]+\.[a-z]|@import|url\(", text, re.I)
    parsed = Page(text)
    for tag, attributes in parsed.tags:
        assert tag not in ("link", "iframe", "img", "object", "embed", "base", "form")
        assert not {"src", "href", "srcset", "action"} & attributes.keys()
    policy = [a["content"] for t, a in parsed.tags if t == "meta" and "content-security-policy" in str(a).lower()]
    assert policy and "default-src 'none'" in policy[0]
    assert "{{" not in text.split('id="data"')[0]


def test_the_page_holds_the_motion(tmp_path):
    motion = wave(1.0, speed=1.0, turn=0.4)
    page.write(motion, tmp_path / "a.html")
    data = json.loads(Page((tmp_path / "a.html").read_text(encoding="utf-8")).scripts[0])
    frames, joints = data["frames"], len(data["parents"])
    assert (frames, joints, data["fps"]) == (20, 22, 20.0)
    turns = unpack(data["rotations"], "<i2", frames, joints, 4) / 32767
    root = unpack(data["root"], "<f4", frames, 3)
    places = kinematics.forward(motion.skeleton, turns / np.linalg.norm(turns, axis=-1, keepdims=True), root)
    assert np.abs(places - motion.joints()).max() < 1e-3
    mesh = mannequin(motion.skeleton)
    count = len(mesh.vertices)
    assert np.allclose(unpack(data["mesh"]["vertices"], "<f4", count, 3), mesh.vertices, atol=1e-6)
    assert (unpack(data["mesh"]["faces"], "<u4", len(mesh.faces), 3) == mesh.faces).all()
    assert (unpack(data["mesh"]["joints"], "<u2", count, 4) == mesh.joints).all()
    assert np.allclose(unpack(data["mesh"]["weights"], "<u2", count, 4).sum(axis=1), 65535, atol=3)
    assert ["seed", "3"] in data["facts"]
    assert data["segments"] == [{"text": "a person waves", "start": 0.0, "end": 1.0}]


def test_texts_cannot_end_the_script_or_become_tags(tmp_path):
    nasty = '</script><img src=x onerror=alert(1)> "quoted" & <b>'
    motion = replace(wave(0.2), segments=(Segment(nasty, 0, 1),), passport={"request": {"text": nasty}})
    page.write(motion, tmp_path / "a.html")
    parsed = Page((tmp_path / "a.html").read_text(encoding="utf-8"))
    assert "img" not in [tag for tag, _ in parsed.tags] and "b" in [tag for tag, _ in parsed.tags]
    data = json.loads(parsed.scripts[0])
    assert data["segments"][0]["text"] == nasty and ["request.text", nasty] in data["facts"]


def test_high_rates_are_brought_down(tmp_path):
    page.write(wave(1.0, fps=120), tmp_path / "a.html")
    data = json.loads(Page((tmp_path / "a.html").read_text(encoding="utf-8")).scripts[0])
    assert data["fps"] == 30 and data["frames"] == 30
    assert ["length", "1.00 s, 120 frames at 120 per second"] in data["facts"]


def test_errors_say_what_to_do(tmp_path):
    with pytest.raises(InputError, match=r"expected \.html"):
        page.write(wave(0.1), tmp_path / "a.txt")
    with pytest.raises(InputError, match="does not exist"):
        page.write(wave(0.1), tmp_path / "absent" / "a.html")
    with pytest.raises(InputError, match="positive"):
        page.write(wave(0.1), tmp_path / "a.html", fps=0)


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def _screenshot(folder, name, fragment):
    """(H, W, 3) of a.html. A browser that hangs, as it does now and then on a busy machine, is started again."""
    shot = folder / f"{name}.png"
    for attempt in range(4):
        try:
            done = subprocess.run(
                [CHROMIUM, "--headless=new", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
                 f"--user-data-dir={folder / f'{name}-{attempt}'}", "--window-size=480,420",
                 "--virtual-time-budget=1000", "--enable-logging=stderr", f"--screenshot={shot}",
                 f"file://{folder}/a.html#{fragment}"],
                capture_output=True, text=True, timeout=75,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            continue
        assert "CONSOLE" not in done.stderr, done.stderr  # neither errors nor refused requests
        return np.asarray(Image.open(shot).convert("RGB")).astype(int)
    pytest.fail("the browser did not answer, four times")


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed")
@pytest.mark.parametrize("mode", ["", "&flat"])
def test_a_browser_draws_the_page(tmp_path, mode):
    page.write(wave(1.0), tmp_path / "a.html")
    shots = [_screenshot(tmp_path, k, f"t={seconds}{mode}") for k, seconds in enumerate(("0.25", "0.75"))]
    for pixels in shots:
        middle = pixels[60:300, 120:360]  # between the cards
        assert (middle[..., 0] - middle[..., 2] > 60).sum() > 30  # something orange, at the left
        assert (middle[..., 2] - middle[..., 0] > 60).sum() > 30  # something blue, at the right
    moved = np.abs(shots[0] - shots[1])[60:300].max(axis=-1) > 30
    assert moved.sum() > 40  # the forearm
