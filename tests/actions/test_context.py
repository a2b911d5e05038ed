"""Models that actions share: loaded once, and never changed by a call that wants another text encoder."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import tiny

from laban.actions.context import Models
from laban.condition.clip_text import ClipTextEncoder
from laban.condition.hashed import HashedText
from laban.errors import InputError
from laban.systems import capabilities, texts
from laban.systems.capabilities import Dances, MakesMotion
from laban.systems.requests import TextRequest


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what was loaded: tiny models, and text encoders without weights."""
    names: list[str] = []

    def load_as(ability: type, name: str, *_: Any) -> Any:
        names.append(name)
        return tiny.fact() if ability is Dances else tiny.momask()

    def load_encoder(path: Path) -> HashedText:
        names.append(path.name)
        return HashedText(24)

    monkeypatch.setattr(capabilities, "load_as", load_as)
    monkeypatch.setattr(ClipTextEncoder, "load", load_encoder)
    return names


def test_another_text_encoder_is_another_system_with_the_same_networks(loads: list[str]) -> None:
    models = Models()
    plain = models.load(MakesMotion, "momask", "cpu")
    own = plain.text_encoder
    other = models.load(MakesMotion, "momask", "cpu", text_encoder=Path("clip"))
    assert other is models.load(MakesMotion, "momask", "cpu", text_encoder=Path("clip"))
    assert loads == ["momask", "clip"]
    assert other is not plain and other.networks() == plain.networks()
    assert models.load(MakesMotion, "momask", "cpu") is plain and plain.text_encoder is own
    assert other.text_encoder is not own
    assert other.generate([TextRequest("a person walks", 1.0)], 0)[0].frames == 20


def test_a_system_without_texts_takes_no_encoder(loads: list[str]) -> None:
    with pytest.raises(InputError, match="fact reads no text"):
        Models().load(Dances, "fact", "cpu", text_encoder=Path("clip"))
    assert loads == ["fact"]


def test_threads_open_one_text_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    system, opened = tiny.momask(), []

    def slowly(self: texts.ReadsText) -> HashedText:
        time.sleep(0.02)
        opened.append(HashedText(24))
        return opened[-1]

    monkeypatch.setattr(texts.ReadsText, "_own_encoder", slowly)
    with ThreadPoolExecutor(8) as pool:
        encoders = list(pool.map(lambda _: system.text_encoder, range(8)))
    assert len(opened) == 1 and all(encoder is opened[0] for encoder in encoders)
