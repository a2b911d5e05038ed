"""Write docs/results.md from a report: `python tools/results_page.py runs/report docs/results.md`."""

from __future__ import annotations

import argparse
import json
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
of the plain row.

"""


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("report", type=Path)
    made.add_argument("out", type=Path)
    options = made.parse_args()
    facts = json.loads((options.report / "report.json").read_text())
    text = markdown(facts).split("\n", 2)[2]  # without its own title
    options.out.write_text(HEAD + text.strip() + "\n", encoding="utf-8")
    print(f"written: {options.out}")


if __name__ == "__main__":
    main()
