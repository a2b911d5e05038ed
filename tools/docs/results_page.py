"""Write docs/results.md from a report: `python tools/docs/results_page.py runs/report docs/results.md`.

The folder may hold the report of `laban evaluate` (report.json), of its `--protocol long` (long.json), or both. What
the page has from elsewhere is kept: a section "In short", which a person writes, and parts between marks
(laban/evaluate/page.py), of which the long protocol's is one.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

from laban.evaluate import page
from laban.evaluate.long import markdown as long_markdown
from laban.evaluate.report import markdown

HEAD = """# Results

Made by one command from the shipped weights on held-out takes, and by nothing else:

```
laban evaluate momask --data data/prepared --out runs/report
python tools/docs/results_page.py runs/report docs/results.md
```

What each row and figure is, and where it is blind: [evaluation.md](evaluation.md). The findings are sentences that the
command makes from the figures. All clips of the split are used in every row; "steps" and "guidance" change one setting
of the plain row. GODIVA's tables, of videos, stand [at the end](#godiva-words-to-video).

"""

LONG = """## Long motion, FlowMDM's protocol

```
laban evaluate kmm --protocol long --data data/prepared --out runs/long
python tools/docs/results_page.py runs/long docs/results.md
```

"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    text = options.out.read_text(encoding="utf-8") if options.out.exists() else ""
    report, long = options.report / "report.json", options.report / "long.json"
    if not report.is_file() and not long.is_file():
        raise SystemExit(f"{options.report}: holds neither report.json nor long.json; run laban evaluate first.")
    if report.is_file():
        made = markdown(json.loads(report.read_text())).split("\n", 2)[2]  # without its own title
        short = re.search(r"^## In short\n.*?(?=^laban |^## |^<!-- )", text, re.S | re.M)
        kept = page.parts(text)
        text = HEAD + (short[0].rstrip() + "\n\n## The report\n\n" if short else "") + made.strip() + "\n"
        for name, part in kept.items():
            text = page.replace_part(text, name, part)
    if long.is_file():
        made = long_markdown(json.loads(long.read_text())).split("\n", 2)[2]
        made = made.replace("\n## ", "\n### ")
        text = page.replace_part(text, "long", LONG + made)
    options.out.write_text(text, encoding="utf-8")
    print(f"written: {options.out}")


if __name__ == "__main__":
    main()
