"""Networks are in evaluation mode inside, and as before afterwards, also after an error."""

from __future__ import annotations

import pytest
from torch import nn

from laban.nn.modes import evaluating


def test_modes_come_back() -> None:
    trained, still = nn.Sequential(nn.Dropout(0.5)), nn.Linear(2, 2).eval()
    with evaluating([trained, still]):
        assert not trained.training and not trained[0].training and not still.training
    assert trained.training and trained[0].training and not still.training
    with pytest.raises(ValueError), evaluating([trained]):
        raise ValueError
    assert trained.training
