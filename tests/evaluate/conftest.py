"""A corpus by formula, an evaluator and a system that were trained on it for seconds."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from laban.data.clips import canonical
from laban.data.corpus import Clip, Corpus, write
from laban.data.synthesis import walkers
from laban.motion import humanml
from laban.systems.evaluator.system import Evaluator
from laban.systems.momask.system import MoMask
from laban.train import loop

LABELS = ("walk", "walk-turn-left", "wave-right-hand", "bow")
"""Of synthetic.ACTIONS, the labels that the judge of joints knows."""


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """160 clips of four actions and their lengths, no two alike; 40 are held out: enough for a pool of 32."""
    rng = np.random.default_rng(0)
    clips = []
    for i in range(160):
        moving = walkers.joints(i % 4, 45 + i // 4, rng.uniform(0.8, 1.4), rng.uniform(0, 2 * np.pi))
        placed = canonical(moving)
        clips.append(
            Clip(
                id=f"formula-{i:03d}", subject="nobody", source=f"formula-{i:03d}",
                split="test" if i // 4 % 4 == 0 else "train", captions=(walkers.ACTIONS[i % 4],),
                features=humanml.features_of(placed).astype(np.float32), joints=placed[:-1].astype(np.float32),
                labels={"content": LABELS[i % 4]},
            )
        )  # fmt: skip
    folder = tmp_path_factory.mktemp("data")
    write(folder / "formulas", "formulas", "CC0-1.0", clips)
    return folder


@pytest.fixture(scope="session")
def corpus(data: Path) -> Corpus:
    return Corpus.open(data)


@pytest.fixture(scope="session")
def judge(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("judge")
    torch.manual_seed(0)
    system = Evaluator.create("tiny", corpus, ("schedule.steps=60", "shortest=8"))
    loop.run(system, corpus, folder, loop.Options(preview=False, validate_every=0))
    return folder


@pytest.fixture(scope="session")
def model(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    torch.manual_seed(0)
    system = MoMask.create("tiny", corpus)
    loop.run(system, corpus, folder, loop.Options(steps=4, preview=False, validate_every=0))
    return folder


@pytest.fixture(scope="session")
def prepared() -> Corpus:
    """Real motion, where this machine has it: LABAN_PREPARED, or data/prepared."""
    place = Path(os.environ.get("LABAN_PREPARED") or Path(__file__).parents[2] / "data" / "prepared")
    if not place.is_dir():
        pytest.skip("no prepared corpus: set LABAN_PREPARED to the folder of `laban data prepare`")
    return Corpus.open(place)
