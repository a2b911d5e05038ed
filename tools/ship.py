"""Store a finished run as shipped weights in fp16: `python tools/ship.py RUN laban/weights/SYSTEM`.

    python tools/ship.py RUN laban/weights/momask-free --card momask-free --terms "Apache-2.0"
    python tools/ship.py RUN laban/weights/kmm --tokenizer-from momask

The run's own card gets the terms and limits of `tools/cards/SYSTEM.md`. The two evaluators (`laban/weights/evaluator/0`
and `1`) must be runs of two seeds.
"""

from __future__ import annotations

import argparse
import shutil
from dataclasses import replace
from pathlib import Path

from laban import checkpoint
from laban.data.corpora import bandai_namco, cmu
from laban.language.vocabulary import NAME as VOCABULARY
from laban.nn.frozen import FrozenTokenizer
from laban.systems.registry import locate, resolve

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
    options.add_argument("--card", help="name of a card in tools/cards, instead of the system's")
    options.add_argument("--terms", default="CC BY-NC 4.0", help="licence of the weights, for card and passport")
    options.add_argument("--tokenizer-from", help="of kmm: shipped weights whose motion tokenizer it is to use")
    given = options.parse_args()
    kind = resolve(str(checkpoint.read_config(given.run)["system"]))
    system = kind.load(given.run)
    for other in given.out.parent.glob("*/config.json") if system.name == "evaluator" else ():
        if other.parent != given.out and kind.load(other.parent).provenance.hash == system.provenance.hash:
            raise SystemExit(f"error: {other.parent} holds the same weights; give runs of two seeds.")
    if given.tokenizer_from:
        system.config = replace(system.config, tokenizer_from=given.tokenizer_from)
        system.frozen = FrozenTokenizer.load(locate(given.tokenizer_from))
    if system.name in ("momask", "kmm", "motionclip"):
        system.provenance.licence = given.terms
    card = (given.run / "README.md").read_text().rstrip() + "\n\n" + card_of(given.card or system.name)
    system.save(given.out, half=True, card=card)
    if (given.run / VOCABULARY).is_file():
        shutil.copy(given.run / VOCABULARY, given.out / VOCABULARY)
    for path in sorted(given.out.iterdir()):
        print(f"{path.stat().st_size / 1e6:8.3f} MB  {path}")
    total, limit = sum(p.stat().st_size for p in given.out.iterdir()), LIMITS.get(system.name, 90e6)
    print(f"{total / 1e6:8.3f} MB  in all, sha256 {kind.load(given.out).provenance.hash}")
    if total > limit:
        raise SystemExit(f"more than {limit / 1e6:g} MB")


if __name__ == "__main__":
    main()
