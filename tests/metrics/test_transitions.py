"""How hard a motion begins and ends."""

from __future__ import annotations

import numpy as np
import pytest

from laban.metrics.transitions import ends


def test_a_jerk_at_an_end_is_told_from_one_inside() -> None:
    time = np.arange(60) / 20.0
    joints = np.zeros((60, 3, 3))
    joints[:, 1, 0] = 0.3 * np.sin(2 * np.pi * time)
    even = ends(joints)
    assert max(even) < 1.6
    joints[-1, 1, 0] += 0.2
    popped = ends(joints)
    assert popped[1] > 3 * even[1] and popped[0] == pytest.approx(even[0], rel=0.1)
