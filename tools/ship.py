"""Store a finished run as shipped weights in fp16: `python tools/ship.py RUN laban/weights/SYSTEM`.

The run's own card gets the terms and limits of `tools/cards/SYSTEM.md`. The two evaluators (`laban/weights/evaluator/0`
and `1`) must be runs of two seeds.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from laban import checkpoint
from laban.data.corpora import bandai_namco, cmu
from laban.systems.registry import resolve

CARDS = Path(__file__).with_name("cards")
LIMITS = {"godiva": 12e6, "motionclip": 12e6}  # bytes of all files


def card_of(name: str) -> str:
    """The terms of a system's shipped weights, their use and limits."""
    text = (CARDS / f"{name}.md").read_text(encoding="utf-8")
    sources = {"bandai_namco": bandai_namco, "cmu": cmu}
    for corpus, module in sources.items():
        text = text.replace(f"{{{corpus}}}", module.ACKNOWLEDGEMENT)
    return text


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("run", type=Path)
    options.add_argument("out", type=Path)
    given = options.parse_args()
    kind = resolve(str(checkpoint.read_config(given.run)["system"]))
    system = kind.load(given.run)
    for other in given.out.parent.glob("*/config.json") if system.name == "evaluator" else ():
        if other.parent != given.out and kind.load(other.parent).provenance.hash == system.provenance.hash:
            raise SystemExit(f"error: {other.parent} holds the same weights; give runs of two seeds.")
    card = (given.run / "README.md").read_text().rstrip() + "\n\n" + card_of(system.name)
    system.save(given.out, half=True, card=card)
    for path in sorted(given.out.iterdir()):
        print(f"{path.stat().st_size / 1e6:8.3f} MB  {path}")
    total, limit = sum(p.stat().st_size for p in given.out.iterdir()), LIMITS.get(system.name, 90e6)
    print(f"{total / 1e6:8.3f} MB  in all, sha256 {kind.load(given.out).provenance.hash}")
    if total > limit:
        raise SystemExit(f"more than {limit / 1e6:g} MB")


if __name__ == "__main__":
    main()
