"""Write docs/results.md from a report: `python tools/results_page.py runs/report docs/results.md`.

A section "In short", which a person writes, is kept from the page that is there.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

from laban.evaluate.report import markdown

HEAD = """# Results

Made by one command from the shipped weights on held-out takes, and by nothing else:

```
laban evaluate momask --data data/prepared --out runs/report
python tools/results_page.py runs/report docs/results.md
```

What each row and figure is, and where it is blind: [evaluation.md](evaluation.md). The findings are sentences that the
command makes from the figures. All clips of the split are used in every row; "steps" and "guidance" change one setting
of the plain row. GODIVA's tables, of videos, stand on [a page of their own](results/godiva.md).

"""


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("report", type=Path)
    made.add_argument("out", type=Path)
    options = made.parse_args()
    facts = json.loads((options.report / "report.json").read_text())
    text = markdown(facts).split("\n", 2)[2]  # without its own title
    before = options.out.read_text(encoding="utf-8") if options.out.exists() else ""
    short = re.search(r"^## In short\n.*?(?=^laban |^## )", before, re.S | re.M)
    head = HEAD + (short[0].rstrip() + "\n\n## The report\n\n" if short else "")
    options.out.write_text(head + text.strip() + "\n", encoding="utf-8")
    print(f"written: {options.out}")


if __name__ == "__main__":
    main()
