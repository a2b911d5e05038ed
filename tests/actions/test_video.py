"""`video` from Python: videos with scores, best first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from laban.actions.context import Context
from laban.actions.video import VideoOptions, video
from laban.data.corpora.mnist import DigitsConfig, MovingDigits
from laban.data.synthesis import synthetic_digits
from laban.errors import InputError
from laban.systems.godiva.system import Godiva

SHORT = ("frames.count=4", "digits.frames=4", "prefixes=(2,4)", "coder.width=8", "coder.code_width=8",
         "coder.codes=16", "decoder.width=24", "decoder.heads=2", "score.width=4", "score.embedding=16")  # fmt: skip


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> VideoOptions:
    torch.manual_seed(0)
    digits = MovingDigits(*synthetic_digits.images(200), DigitsConfig(frames=4))
    system = Godiva.create("tiny", digits, SHORT)
    system.tokenizer.train()
    batch = system.sampler("tokenizer", digits, "train")(np.random.default_rng(0), 16)
    system.loss("tokenizer", batch, torch.Generator().manual_seed(0))  # codes start in training
    system.sampler("decoder", digits, "train")
    folder = tmp_path_factory.mktemp("godiva")
    system.eval().save(folder)
    return VideoOptions("digit 3 moves up then down", samples=3, model=str(folder))


def test_all_samples_come_back_best_first(asked: VideoOptions) -> None:
    result = video(asked, Context("cpu"))
    scores = [each.score for each in result.videos if each.score is not None]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == 3
    assert result.videos[0].video.pixels.shape[0] == 4
    assert result.written == ()


def test_unknown_words_are_said_and_files_are_named(asked: VideoOptions, tmp_path: Path) -> None:
    warned: list[str] = []
    options = replace(asked, text="a purple digit 3 moves up", every=True, out=(tmp_path / "v.png",))
    result = video(options, Context("cpu", warn=warned.append))
    assert warned == ["unknown words are read as one placeholder: a, purple."]
    assert [each.files for each in result.written] == [(tmp_path / f"v-{n}.png",) for n in (1, 2, 3)]
    assert all(each.files[0].is_file() for each in result.written)


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"text": " "}, "there is no sentence"),
        ({"text": "eine lila Kuh"}, "no word of .* It knows"),
        ({"keep": 2}, "without --from-frames"),
        ({"samples": 65}, "samples is 65"),
        ({"top_k": 0}, "top_k is 0"),
    ],
)
def test_what_is_refused(asked: VideoOptions, more: dict[str, object], match: str) -> None:
    with pytest.raises(InputError, match=match):
        video(replace(asked, **more), Context("cpu"))
