"""Timelines performed on motions that were made by formula, with path and limbs alone; a tiny tokenizer steers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from laban import cli, formats
from laban.actions.context import Context
from laban.authoring import base, steered
from laban.authoring.author import Authored, author
from laban.authoring.timeline import Keep, Prompt, Source, Speed, Timeline
from laban.evaluate import authoring_rows as rows
from laban.metrics import constraints
from laban.motion import loops, travel
from laban.motion.constraints import Effector, EffectorKey, Goals, PathPoint, PoseFile, PoseKey, RootPath
from laban.motion.motion import Motion
from laban.motion.skeletons import HUMANML22
from laban.nn.config import TokenizerConfig
from laban.nn.frozen import FrozenTokenizer
from laban.nn.steering import Aims, SteeringSettings, steer
from tests.actions import tiny
from tests.actions.stepping import stander, stepper

SECONDS = 6.0
PLACES = ((0.0, 0.0, 0.0), (2.0, 0.5, 1.8), (4.0, 0.3, 3.7), (5.9, -0.4, 5.3))
CURVE = RootPath(tuple(PathPoint(t, (x, z)) for t, x, z in PLACES), id="a")
REACH = Effector("right_wrist", (EffectorKey(3.0, (-0.1, 1.3, 3.2), 0.2),), id="e")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("author")
    formats.write(stepper(SECONDS, fps=30.0), place / "walk.npz")
    formats.write(stander(SECONDS, fps=30.0), place / "stand.npz")
    return place


def performed(folder: Path, name: str = "walk.npz", **fields: object) -> Authored:
    timeline = Timeline(SECONDS, source=Source(name), **fields)  # type: ignore[arg-type]
    return author(timeline, Context(device="cpu"), solver="warp", folder=folder)


def test_a_curve_and_a_hand_are_hit_and_feet_do_not_slide(folder: Path) -> None:
    made = performed(folder, paths=(CURVE,), effectors=(REACH,))
    assert made.report.feasible and made.report.ok, made.report.lines()
    assert made.report.faults == ()
    assert made.motion.frames == 180 and made.motion.fps == 30.0
    assert made.motion.passport is not None
    assert made.motion.passport["authoring"]["report"]["ok"] is True
    json.dumps(made.motion.passport)


def test_two_runs_are_one_motion_and_the_passport_makes_it_again(folder: Path) -> None:
    from laban.authoring.timeline import parse

    one, two = (performed(folder, paths=(CURVE,)) for _ in range(2))
    assert np.array_equal(one.motion.rotations, two.motion.rotations)
    assert one.motion.passport is not None
    again = author(
        parse(one.motion.passport["authoring"]["timeline"]), Context(device="cpu"), solver="warp", folder=folder
    )
    assert np.array_equal(one.motion.root, again.motion.root)


@pytest.mark.parametrize(
    ("name", "goals", "said"),
    [
        ("stand.npz", Goals(paths=(RootPath((PathPoint(0, (0, 0)), PathPoint(5, (0, 2.0)))),)), "asks 0.40 m/s"),
        ("walk.npz", Goals(paths=(RootPath((PathPoint(0, (0, 0)), PathPoint(2, (0, 5.0)))),)), "say 'runs'"),
        ("walk.npz", Goals(paths=(RootPath((PathPoint(0, (0, 0)), PathPoint(5, (0, 1.5)))),)), "Give less time"),
        (
            "walk.npz",
            Goals(paths=(RootPath((PathPoint(0, (0, 0)), PathPoint(2, (0, 2)), PathPoint(3.9, (0.1, 0.1)))),)),
            "degrees per second",
        ),
        ("stand.npz", Goals(effectors=(replace(REACH, keys=(EffectorKey(1, (0, 3.0, 0)),)),)), "3.00 m high"),
        ("stand.npz", Goals(effectors=(replace(REACH, keys=(EffectorKey(1, (0, -0.5, 0)),)),)), "below the floor"),
        (
            "walk.npz",
            Goals(paths=(CURVE,), effectors=(replace(REACH, keys=(EffectorKey(2, (3, 1, 2)),)),)),
            "Lead the path",
        ),
    ],
)
def test_what_the_action_cannot_do_is_named_and_not_forced(folder: Path, name: str, goals: Goals, said: str) -> None:
    made = performed(folder, name, paths=goals.paths, effectors=goals.effectors)
    assert not made.report.feasible and not made.report.ok
    assert said in " ".join(made.report.reasons)
    assert made.report.quality.skate_ratio == pytest.approx(1.0, abs=0.02)


def test_goals_that_are_met_already_change_nothing(folder: Path) -> None:
    free = performed(folder, speed=(Speed(0, SECONDS, 1.0),)).motion
    goals = rows.goals_of(free, [1.0, 3.0, 5.0])
    made = performed(folder, paths=goals.paths, poses=goals.poses, effectors=goals.effectors)
    assert made.report.ok, made.report.lines()
    assert max(g.error_m for g in made.report.goals) < 1e-3
    assert np.abs(made.motion.joints() - free.joints()).max() < 2e-3


def test_far_from_a_goal_nothing_changes(folder: Path) -> None:
    free = performed(folder, speed=(Speed(0, SECONDS, 1.0),)).motion
    hand = replace(REACH, keys=(EffectorKey(1.0, (-0.35, 1.2, 1.2)),))
    made = performed(folder, effectors=(hand,))
    assert made.report.goals[0].hit
    assert np.abs(free.joints() - made.motion.joints())[85:].max() < 1e-9


def test_poses_out_of_files_start_end_and_between(folder: Path) -> None:
    poses = (
        PoseKey(0.0, source=PoseFile("stand.npz", 1.0), parts=("arms",), id="s"),
        PoseKey(3.0, source=PoseFile("stand.npz", 0.5), parts=("arms", "head"), id="m"),
        PoseKey(SECONDS, source=PoseFile("stand.npz", -1.0), parts=("arms",), id="e"),
    )
    made = performed(folder, poses=poses)
    assert [g.hit for g in made.report.goals] == [True] * 3, made.report.lines()
    stand = formats.read(folder / "stand.npz")
    elbow = HUMANML22.index("right_elbow")
    assert np.array_equal(np.abs(made.motion.rotations[0, elbow]), np.abs(stand.rotations[30, elbow]))


def test_a_cycle_ends_as_it_begins_and_repeats_without_a_jump(folder: Path) -> None:
    made = author(
        Timeline(3.0, source=Source("walk.npz"), loop="cycle"), Context(device="cpu"), solver="warp", folder=folder
    )
    motion, report = made.motion, made.report
    assert motion.frames == 91 and report.loop is not None and report.loop.closes, report.lines()
    assert np.array_equal(motion.rotations[0], motion.rotations[-1]) and motion.root[0, 1] == motion.root[-1, 1]
    assert report.loop.travel == pytest.approx(3.0, rel=0.15)
    three = loops.repeated(motion, 3)
    assert three.frames == 271
    assert np.allclose(three.root[90] - three.root[0], three.root[180] - three.root[90], atol=1e-9)


def test_a_cycle_on_a_path_repeats_without_a_jump(tmp_path: Path) -> None:
    formats.write(stepper(8.0, fps=30.0), tmp_path / "long.npz")
    points = ((0.0, 0.0, 0.0), (2.0, 0.5, 1.9), (4.0, -0.3, 3.9), (6.0, 0.0, 6.0))
    way = RootPath(tuple(PathPoint(t, (x, z)) for t, x, z in points), id="a")
    hand = Effector("left_wrist", (EffectorKey(3.0, (0.35, 1.2, 3.2)),))
    timeline = Timeline(6.0, source=Source("long.npz"), loop="cycle", paths=(way,), effectors=(hand,))
    made = author(timeline, Context(device="cpu"), solver="warp", folder=tmp_path)
    assert made.report.ok, made.report.lines()
    assert made.report.loop is not None and made.report.loop.jerk_ratio < 1.0
    assert made.report.loop.travel == pytest.approx(6.0, abs=0.01)


def test_in_place_is_a_treadmill_and_travel_is_kept(folder: Path) -> None:
    made = performed(folder, root="in_place", paths=(CURVE,))
    motion = made.motion
    assert np.abs(motion.root[:, [0, 2]]).max() < 0.15
    assert motion.passport is not None
    kept = motion.passport["authoring"]["travel"]
    way = travel.Travel(np.array(kept["position"]), np.array(kept["yaw"]), 30.0)
    there = travel.put_back(motion, way)
    assert constraints.reached(there, Goals(paths=(CURVE,)))[0].error_m < 0.011
    low = motion.joints()[:, HUMANML22.index("left_foot")]
    still = there.joints()[:, HUMANML22.index("left_foot")]
    standing = np.linalg.norm(np.diff(still, axis=0), axis=-1) * 30 < 0.05
    speed = np.linalg.norm(np.diff(low, axis=0), axis=-1)[standing] * 30
    assert abs(speed.mean() - way.speed[:-1][standing].mean()) < 0.05


def test_kept_frames_are_those_of_the_source(folder: Path) -> None:
    keep = (Keep(0.0, 1.0), Keep(5.0, 6.0))
    hand = replace(REACH, keys=(EffectorKey(3.0, (-0.3, 1.3, 3.2)),))
    walk = RootPath(
        tuple(
            PathPoint(t, (float(x), float(z)))
            for t in (0.0, 5.9)
            for x, z in [travel.of(stepper(SECONDS, fps=30.0)).xz[round(t * 30)]]
        )
    )
    made = performed(folder, keep=keep, effectors=(hand,), paths=(walk,))
    source = formats.read(folder / "walk.npz")
    for span in (slice(0, 30), slice(150, 180)):
        assert np.array_equal(made.motion.root[span], source.root[span])


def test_speed_changes_the_clock_and_not_the_places(folder: Path) -> None:
    slow = performed(folder, speed=(Speed(0, SECONDS, 0.8),)).motion
    assert slow.frames == 180
    assert slow.root[-1, 2] == pytest.approx(0.8 * stepper(SECONDS, fps=30.0).root[-1, 2], rel=0.02)


def test_lines_fill_gaps_and_the_clock_follows_speed() -> None:
    timeline = Timeline(
        8.0, prompts=(Prompt(1, 4, "walks"), Prompt(4, 6, "waves", parts=("arms",))), speed=(Speed(6, 8, 0.5),)
    )
    lines, notes = base.lines_of(timeline)
    assert [(x.text, x.start, x.end) for x in lines] == [("walks", 0, 1), ("walks", 1, 4), ("waves", 4, 8)]
    assert len(notes) == 2
    clock = base.Clock.of(timeline, lines, [1.0, 1.0, 1.2])
    assert clock.drawn[-1] == pytest.approx(4 + 2 * 1.2 + 2 * 0.6)
    assert sum(base.lengths(lines, clock, loop=False, most=None)) == pytest.approx(clock.drawn[-1], abs=0.01)
    assert (
        base.lines_of(Timeline(4.0, paths=(RootPath((PathPoint(0, (0, 0)), PathPoint(4, (0, 4)))),)))[0][0].text
        == base.WALKS
    )
    assert base.lines_of(Timeline(4.0))[0][0].text == base.STANDS


# Steering


@pytest.fixture(scope="module")
def frozen() -> FrozenTokenizer:
    config = TokenizerConfig(width=32, code_width=16, codes=8, quantizers=2, depth=1, dilation_growth=2)
    return FrozenTokenizer.random(config, torch.zeros(263), torch.full((263,), 0.05))


def test_steering_comes_nearer_and_leaves_the_rest(frozen: FrozenTokenizer) -> None:
    walk = stepper(6.0)
    sight = steered.Sight.of(walk, frozen, circular=False)
    assert np.allclose(sight.outward(sight.joints) + sight.lift, walk.joints(), atol=1e-9)
    joint, frame = HUMANML22.index("right_wrist"), 60
    place = sight.joints[frame, joint] + np.array([0.0, 0.1, 0.05])
    aims = Aims(np.array([frame]), np.array([joint]), place[None], np.ones((1, 3)), np.ones(1))
    gently = SteeringSettings(iterations=60, rate=0.01, slip=0.0, stay=0.0, anchor=0.0, floor=0.0)
    made = steer(frozen, sight.features, sight.joints, aims, settings=gently)
    assert made.iterations > 0
    there = (sight.joints + made.change)[frame, joint]
    assert np.linalg.norm(there - place) < 0.9 * np.linalg.norm(place - sight.joints[frame, joint])
    assert np.linalg.norm(there - place) == pytest.approx(made.error, abs=1e-5)
    local = made.change - made.change[:, :1]
    assert np.abs(local[:10]).max() < 1e-6 < np.abs(local[55:65]).max()


def test_a_change_of_nothing_changes_nothing() -> None:
    walk = stepper(3.0)
    made = steered.with_change(walk, np.zeros((60, 22, 3)))
    assert np.abs(made.joints() - walk.joints()).max() < 1e-9


def test_a_cycle_is_decoded_as_its_repetition_is(frozen: FrozenTokenizer) -> None:
    walk = stepper(8.0)
    cycle = loops.closed(walk, *loops.cut(walk, 4.0), 80)
    sight = steered.Sight.of(cycle, frozen, circular=True)
    three = steered.Sight.of(loops.repeated(cycle, 3), frozen, circular=False)
    assert sight.features.shape == (80, 263)
    assert isinstance(sight.latents, torch.Tensor) and sight.latents.shape[1] == 20
    inner = slice(80 + 1, 160 - 1)  # the heading in the features is smoothed, so ends differ
    assert np.abs(three.features[inner] - sight.features[1:-1]).max() < 0.02
    round_ = steered.closed_around(cycle, frozen)
    assert np.allclose(round_.joints()[0, 1:] - round_.root[0], round_.joints()[-1, 1:] - round_.root[-1], atol=1e-6)


# The commands


def test_author_says_by_its_exit_code_whether_all_was_met(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = Timeline(SECONDS, source=Source("walk.npz"), paths=(CURVE,))
    made.write(folder / "good.timeline.json")
    out, report = folder / "good.npz", folder / "r.json"
    words = ["author", str(folder / "good.timeline.json"), "--out", str(out), "--solver", "warp", "--device", "cpu"]
    assert cli.main([*words, "--report", str(report)]) == 0
    assert "a: hit" in capsys.readouterr().out
    assert json.loads(report.read_text())["ok"] is True
    assert isinstance(formats.read(out), Motion)
    far = replace(made, source=Source("stand.npz"))
    far.write(folder / "bad.timeline.json")
    words[1] = str(folder / "bad.timeline.json")
    out.unlink()
    assert cli.main(words) == 1
    assert "not feasible: the path asks" in capsys.readouterr().out
    assert out.is_file()


def test_a_root_bone_carries_the_travel(folder: Path) -> None:
    made = Timeline(SECONDS, source=Source("walk.npz"), paths=(CURVE,), root="root_bone")
    made.write(folder / "bone.timeline.json")
    out = folder / "bone.glb"
    words = ["author", str(folder / "bone.timeline.json"), "--out", str(out), "--solver", "warp", "--quiet"]
    assert cli.main(words) == 0
    plain = author(replace(made, root="travel"), Context(device="cpu"), solver="warp", folder=folder).motion
    assert np.abs(formats.read(out).joints() - plain.joints()).max() < 1e-5


def test_edit_makes_a_loop_and_import_timeline_writes_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = folder / "s.txt"
    script.write_text("a person walks @2\nshe bows @3\n")
    assert cli.main(["import-timeline", "script", str(script), str(folder / "s.json")]) == 0
    assert "5 s, 2 prompts" in capsys.readouterr().out
    assert Timeline.read(folder / "s.json").length == 5.0
    assert cli.main(["import-timeline", "mmcp", str(script), str(folder / "t.json")]) == 2
    formats.write(stepper(SECONDS, fps=30.0), folder / "clip.npz")
    tiny.momask().save(folder / "tiny")
    words = ["edit", str(folder / "clip.npz"), "--model", str(folder / "tiny"), "--out", str(folder / "e.npz")]
    words += ["--save-timeline", str(folder / "l.json")]
    assert cli.main([*words, "--reach", "right_wrist@3=-0.35,1.2,3.2", "--device", "cpu"]) == 0
    assert Timeline.read(folder / "l.json").effectors[0].joint == "right_wrist"
    assert formats.read(folder / "e.npz").frames == 180
