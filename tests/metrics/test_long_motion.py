"""FlowMDM's protocol on motions by formula, with an embedding of their mean pose and speed."""

from collections.abc import Sequence

import numpy as np
import pytest

from laban.data import synthetic
from laban.errors import InputError
from laban.metrics.long_motion import Interval, Performance, protocol, unique_rows


class ByShape:
    """Motions by four numbers that tell the formulas apart; texts by the mean of such motions."""

    def motions(self, motions: Sequence[np.ndarray]) -> np.ndarray:
        rows = []
        for m in motions:
            local = m - m[:, :1] * [1, 0, 1]
            speed = np.linalg.norm(np.diff(m[:, 0], axis=0), axis=-1).mean()
            rows.append([10 * speed, local[:, 15, 1].min(), local[:, 21, 1].max(), np.abs(np.diff(m[:, 21, 0])).mean()])
        return np.array(rows)

    def texts(self, texts: Sequence[str]) -> np.ndarray:
        known = self.motions([synthetic.joints(i, 80, 1.1, 0.3) for i in range(4)])
        return np.stack([known[synthetic.ACTIONS.index(t.partition(" #")[0])] for t in texts])


def performance(seed: int, jump: float = 0.0) -> Performance:
    rng = np.random.default_rng(seed)
    parts, texts, at = [], [], np.zeros(3)
    for i in range(12):
        action = int(rng.integers(4))
        part = synthetic.joints(action, 60, 1.1, 0.0)
        part = part - part[0, :1] * [1, 0, 1] + at
        at = part[-1, 0] * [1, 0, 1] + [jump, 0, 0]
        parts.append(part)
        texts.append(f"{synthetic.ACTIONS[action]} #{seed}-{i}")
    return Performance(np.concatenate(parts), tuple(texts), tuple(range(60, 721, 60)))


@pytest.fixture(scope="module")
def real() -> list[tuple[np.ndarray, str]]:
    rng = np.random.default_rng(5)
    made = []
    for i in range(48):
        made.append(
            (synthetic.joints(i % 4, 60, rng.uniform(0.9, 1.3), rng.uniform(0, 6)), f"{synthetic.ACTIONS[i % 4]} #{i}")
        )
    return made


def test_scores_and_their_controls(real) -> None:
    repeats = [[performance(10 * r + i) for i in range(4)] for r in range(3)]
    found = protocol(repeats, real, ByShape())
    # eight of a pool do the same, and ties count against: three of eight at most
    assert found["R-precision"].mean > 3 * found["R-precision shuffled"].mean
    assert found["FID"].mean >= 0 and found["real FID"].mean >= 0 and found["PJ"].half >= 0
    jumpy = protocol([[performance(10 * r + i, 1.0) for i in range(4)] for r in range(3)], real, ByShape())
    assert jumpy["PJ"].mean > found["PJ"].mean + 0.5 and jumpy["AUJ"].mean > found["AUJ"].mean
    assert jumpy["transition FID"].mean > found["transition FID"].mean
    assert found["real PJ"].mean < found["PJ"].mean  # these seams are cuts
    assert protocol(repeats, real, ByShape()) == found


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
            Performance(joints, texts, bounds)
    with pytest.raises(InputError, match="nothing to score"):
        protocol([[]], real, ByShape())
    assert Interval.of([2.0]) == Interval(2.0, 0.0) and Interval.of([1.0, 3.0]).half == pytest.approx(1.96)
