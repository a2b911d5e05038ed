"""FlowMDM's protocol on motions by formula, with an embedding of their mean pose and speed."""

from collections.abc import Sequence

import numpy as np
import pytest

from laban.data.synthesis import walkers
from laban.errors import InputError
from laban.metrics.long_motion import Interval, PerformedScript, Reference, unique_rows


class ByShape:
    """Motions by four numbers that tell the formulas apart; texts by the mean of such motions."""

    def motions(self, motions: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        rows = []
        for m in motions:
            local = m - m[:, :1] * [1, 0, 1]
            speed = np.linalg.norm(np.diff(m[:, 0], axis=0), axis=-1).mean()
            rows.append([10 * speed, local[:, 15, 1].min(), local[:, 21, 1].max(), np.abs(np.diff(m[:, 21, 0])).mean()])
        return {"shape": np.array(rows), "first": np.array(rows)[:, :1]}

    def texts(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        known = self.motions([walkers.joints(i, 80, 1.1, 0.3) for i in range(4)])
        places = [walkers.ACTIONS.index(t.partition(" #")[0]) for t in texts]
        return {name: rows[places] for name, rows in known.items()}


def performance(seed: int, jump: float = 0.0) -> PerformedScript:
    rng = np.random.default_rng(seed)
    parts, texts, at = [], [], np.zeros(3)
    for i in range(12):
        action = int(rng.integers(4))
        part = walkers.joints(action, 60, 1.1, 0.0)
        part = part - part[0, :1] * [1, 0, 1] + at
        at = part[-1, 0] * [1, 0, 1] + [jump, 0, 0]
        parts.append(part)
        texts.append(f"{walkers.ACTIONS[action]} #{seed}-{i}")
    return PerformedScript(np.concatenate(parts), tuple(texts), tuple(range(60, 721, 60)))


@pytest.fixture(scope="module")
def real() -> list[tuple[np.ndarray, str]]:
    rng = np.random.default_rng(5)
    made = []
    for i in range(48):
        made.append(
            (walkers.joints(i % 4, 60, rng.uniform(0.9, 1.3), rng.uniform(0, 6)), f"{walkers.ACTIONS[i % 4]} #{i}")
        )
    return made


def test_scores_and_their_controls(real) -> None:
    repeats = [[performance(10 * r + i) for i in range(4)] for r in range(3)]
    reference = Reference(real, ByShape(), 44)
    made = reference.score(repeats)
    found, seams = made.judged["shape"], made.seams
    assert set(made.judged) == {"shape", "first"} and set(seams) == {"PJ", "AUJ"}
    # eight of a pool do the same, and ties count against: three of eight at most
    assert found["R-precision"].mean > 3 * found["R-precision shuffled"].mean
    assert found["FID"].mean >= 0 and seams["PJ"].half >= 0 and found["transition FID"].half > 0
    jumpy = reference.score([[performance(10 * r + i, 1.0) for i in range(4)] for r in range(3)])
    assert jumpy.seams["PJ"].mean > seams["PJ"].mean + 0.5 and jumpy.seams["AUJ"].mean > seams["AUJ"].mean
    assert jumpy.judged["shape"]["transition FID"].mean > found["transition FID"].mean
    assert reference.score(repeats) == made == Reference(real, ByShape(), 44).score(repeats)


def test_real_motion_as_a_row(real) -> None:
    reference = Reference(real, ByShape(), 44)
    itself, cuts = reference.itself(3), reference.score([[performance(i) for i in range(4)]])
    assert itself.seams["PJ"].mean < cuts.seams["PJ"].mean  # these seams are cuts
    assert itself.seams["AUJ"].mean < cuts.seams["AUJ"].mean
    still = [
        PerformedScript(np.repeat(p.joints[:1], 720, axis=0), p.texts, p.bounds) for p in map(performance, range(4))
    ]
    assert itself.judged["shape"]["FID"].mean < 0.1 * reference.score([still]).judged["shape"]["FID"].mean
    assert itself.judged["shape"]["R-precision"].mean > 3 * itself.judged["shape"]["R-precision shuffled"].mean
    assert itself.judged["shape"]["MM-distance"].half == 0  # the same motions in each repeat


def test_a_row_without_boundaries_has_no_transitions(real) -> None:
    short = PerformedScript(real[0][0], (real[0][1],), (len(real[0][0]),))
    found = Reference(real, ByShape(), 44).score([[short, short]])
    assert found.seams == {} and set(found.judged["shape"]) == {"FID", "MM-distance", "diversity"}


def test_pools_hold_no_caption_twice() -> None:
    texts = [f"walks {i % 40}" for i in range(200)] + ["WALKS  1"] * 30
    index = unique_rows(texts, np.random.default_rng(0))
    assert len(index) % 32 == 0 and len(index) >= 32 and len(set(index)) == len(index)
    for at in range(0, len(index), 32):
        assert len({" ".join(texts[i].lower().split()) for i in index[at : at + 32]}) == 32
    assert unique_rows(["same"] * 100, np.random.default_rng(0)) == []


def test_bad_performances_and_nothing_to_score(real) -> None:
    joints = np.zeros((10, 22, 3))
    for texts, bounds in ((("a",), (5, 10)), (("a", "b"), (5, 5)), (("a",), (11,))):
        with pytest.raises(InputError, match="rising end per text"):
            PerformedScript(joints, texts, bounds)
    for nothing in ([], [[]]):
        with pytest.raises(InputError, match="nothing to score"):
            Reference(real, ByShape(), 44).score(nothing)
    with pytest.raises(InputError, match="at least four"):
        Reference(real[:3], ByShape())
    with pytest.raises(InputError, match="30 frames"):
        Reference([(m[:20], t) for m, t in real], ByShape())
    assert Interval.of([2.0]) == Interval(2.0, 0.0) and Interval.of([1.0, 3.0]).half == pytest.approx(1.96)
