"""Long motion out of BABEL's labels: pairs as TEACH makes them, compositions, the directional subset."""

from pathlib import Path

import pytest
from babel_files import label, sequence, write

from laban.data.corpora import babel_scripts as babel
from laban.data.corpora.babel import Recording, read
from laban.errors import InputError


@pytest.fixture
def recordings(tmp_path: Path) -> list[Recording]:
    table = {
        "10": sequence(
            label("walk forward", 0, 4), label("transition", 4, 5, "transition"), label("turn left", 5, 8),
            label("wave right hand", 7, 12), label("stand", 15, 19),
        ),
        "9": sequence(dur=6.0),
        "11": sequence(label("wave left then right", 0, 4), label("sit", 4, 4.3), label("jump", 4.3, 9)),
    }  # fmt: skip
    return read(write(tmp_path / "val.json", table))


def test_pairs_follow_teachs_rules(recordings) -> None:
    found = list(babel.pairs(recordings[1]))
    assert [(p.first.text, p.second.text) for p in found] == [
        ("walk forward", "turn left"), ("turn left", "wave right hand"),
    ]  # fmt: skip
    through, overlap = found
    assert (through.start, through.first_end, through.middle, through.end) == (0, 4, 5, 8)
    assert (overlap.first_end, overlap.middle) == (7.5, 7.5)  # the overlap is split midway
    # stand is 3 s later with no transition between: no pair. sit lasts 9 frames: too short
    assert list(babel.pairs(recordings[2])) == []
    assert len(list(babel.pairs(recordings[2], shortest=5))) == 2
    assert list(babel.pairs(recordings[0])) == []


def test_directional_subset_and_compositions(recordings) -> None:
    actions = babel.single_actions(recordings)
    assert "transition" not in {a.text for a in actions} and "sit" not in {a.text for a in actions}
    assert [a.text for a in babel.directional(actions)] == ["turn left", "wave right hand"]
    made = babel.compositions(actions, count=3, length=8, seed=1)
    assert made == babel.compositions(actions, count=3, length=8, seed=1) != babel.compositions(actions, 3, 8, 2)
    assert all(len(row) == 8 and all(30 <= n <= 200 for _, n in row) for row in made)
    own = {a.text: round((a.end - a.start) * 30) for a in actions}
    assert all(n == own[t] for row in made for t, n in row[::2])
    with pytest.raises(InputError, match="no action"):
        babel.compositions([])
