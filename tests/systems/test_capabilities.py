"""What each system says it can do, and how a model that cannot is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from laban.errors import InputError, WeightsError
from laban.systems.capabilities import (
    ABILITIES,
    Composes,
    Dances,
    Embeds,
    Inpaints,
    MakesMotion,
    MakesVideo,
    Steers,
    load_as,
)
from laban.systems.registry import SYSTEMS, resolve
from laban.systems.requests import MusicRequest, TextRequest

ABLE = {
    "momask": {MakesMotion, Inpaints, Steers},
    "motionclip": {MakesMotion, Embeds},
    "kmm": {MakesMotion, Composes, Steers},
    "fact": {Dances},
    "godiva": {MakesVideo},
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_says_what_it_can_do(name: str) -> None:
    kind = resolve(name)
    assert {ability for ability in ABILITIES if issubclass(kind, ability)} == ABLE[name]
    assert kind.makes == ("video" if name == "godiva" else "motion")
    assert kind.takes is (MusicRequest if name == "fact" else TextRequest)


@pytest.mark.parametrize("ability", ABILITIES)
@pytest.mark.parametrize("name", SYSTEMS)
def test_weights_are_read_only_if_the_model_is_able(name: str, ability: type, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"format": 1, "system": name, "stages": []}))
    if ability in ABLE[name]:
        with pytest.raises(WeightsError, match=r"stats\.safetensors"):
            load_as(ability, tmp_path)
        return
    with pytest.raises(InputError) as caught:
        load_as(ability, tmp_path, option="--beside")
    said = str(caught.value)
    assert said.startswith(f"--beside {tmp_path}: a {name} model cannot ")
    assert f"; {' and '.join(other for other in SYSTEMS if ability in ABLE[other])} can. " in said
    assert "(laban " in said  # what it can do instead, and by which command
