"""The latent and the library from Python, with one cache of models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from laban import formats
from laban.actions import gaits
from laban.actions.context import Context
from laban.actions.latent import BlendOptions, MixOptions, RecogniseOptions, blend, mix, recognise
from laban.actions.library import LibraryFirst, SearchOptions, search
from laban.data.clips import canonical
from laban.data.synthesis import walkers
from laban.errors import InputError
from laban.metrics.gait import gait
from laban.motion.motion import Motion
from laban.systems.registry import WEIGHTS

shipped = pytest.mark.skipif(not (WEIGHTS / "motionclip").is_dir(), reason="needs the shipped weights of motionclip")


def clip(action: int) -> Motion:
    return Motion.from_joints(canonical(walkers.joints(action, 60, 1.0, 0.3)), 20.0)


@pytest.fixture(scope="module")
def context() -> Context:
    return Context(device="cpu")


@shipped
def test_motions_in_motions_out_and_one_model(context: Context, tmp_path: Path) -> None:
    guesses = recognise(RecogniseOptions(clip(0), classes=("walk", "bow"), top=2), context)
    assert {g.label for g in guesses} == {"walk", "bow"} and sum(g.probability for g in guesses) == pytest.approx(1)
    steps = blend(BlendOptions(clip(0), clip(1), steps=2, fps=20), context)
    assert [step.files for step in steps] == [(), ()] and steps[0].motion.fps == 20
    changed = mix(MixOptions(clip(0), minus=clip(0), plus=clip(1), fps=20), context)
    assert np.isfinite(changed.motion.joints()).all()
    assert len(context.models._loaded) == 1


@shipped
def test_a_mixed_walk_keeps_its_legs_and_its_path(context: Context) -> None:
    walk = Motion.from_joints(canonical(walkers.joints(0, 100, 1.0, 0.3)), 20.0)
    changed = mix(MixOptions(walk, minus="walk", plus="walk sadly", fps=20), context).motion
    legs = [4, 5, 7, 8, 10, 11]
    count = changed.frames
    assert np.abs(changed.joints()[:, legs] - walk.joints()[:count, legs]).max() < 0.02
    assert np.abs(changed.joints()[:, 15] - walk.joints()[:count, 15]).max() > 0.02


def test_walks_are_blended_by_phase_and_not_with_whoever_sits() -> None:
    walk, late = (Motion.from_joints(canonical(walkers.joints(0, 100, 1.0, at)), 20.0) for at in (0.3, 3.4))
    made = gaits.blended(walk, late, 3)
    assert made is not None and len(made) == 3
    assert gait(made[1].resample(20.0).joints(), 20.0).knee_range > 0.85 * gait(walk.joints(), 20.0).knee_range
    assert gaits.blended(clip(2), clip(3), 3) is None
    low = Motion.from_joints(walkers.joints(2, 100, 1.0, 0.0) - [0.0, 0.6, 0.0], 20.0)
    with pytest.raises(InputError, match="sits, kneels or lies"):
        gaits.blended(walk, low, 3)


def test_a_walk_is_not_mixed_towards_other_legs() -> None:
    walk = Motion.from_joints(canonical(walkers.joints(0, 100, 1.0, 0.3)), 20.0)
    with pytest.raises(InputError, match="asks for other legs"):
        mix(MixOptions(walk, minus="walk", plus="run"), Context())
    gaits.check_same_legs(["walk", "walk like an old person"])
    gaits.check_same_legs(["walk", "wave"])


@shipped
def test_search_finds_the_clip_itself(context: Context, tmp_path: Path) -> None:
    for i in range(3):
        formats.write(clip(i), tmp_path / f"{i}.npz")
    (tmp_path / "broken.bvh").write_text("junk")
    warnings: list[str] = []
    heard = Context(device="cpu", models=context.models, warn=warnings.append)
    done = search(SearchOptions(tmp_path, like=clip(1), top=1), heard)
    assert [m.path.name for m in done.found] == ["1.npz"] and done.clips == done.report.added == 3
    assert len(warnings) == 1 and warnings[0].startswith("broken.bvh is left out")
    assert list(heard.clock.parts) == ["load", "index", "query"]
    first = LibraryFirst.open(tmp_path, heard)
    [answer] = first.answer("a person walks forward", 2.0, [clip(0)])
    assert answer.passport is not None and answer.passport["library"]["weights"] == first.system.provenance.hash


def test_what_does_not_go_together_is_refused_before_a_model_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="both, or --style alone"):
        mix(MixOptions(clip(0), minus="walk"), Context())
    with pytest.raises(InputError, match="steps is 1, expected a whole number from 2 to 64"):
        blend(BlendOptions(clip(0), clip(1), steps=1), Context())
    with pytest.raises(InputError, match="one of them"):
        search(SearchOptions(tmp_path, "a walk", clip(0)), Context())
