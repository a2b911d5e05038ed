"""What every benchmark prints: the machine and date, aligned rows, a share with its Wilson interval."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # a checkout that is not installed
    sys.path.insert(0, str(ROOT))


def machine() -> str:
    """One line: date, processor, cores, Python and library versions."""
    from laban.evaluate.machine import machine as here

    return here()


def wilson(hits: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927); (0, 1) of nothing."""
    from laban.metrics import intervals

    return intervals.wilson(hits, total, z)


def share(hits: int, total: int) -> str:
    """'19/20  95% [76, 99]', or '-' of nothing."""
    if total == 0:
        return "-"
    low, high = wilson(hits, total)
    return f"{hits}/{total} {100 * hits / total:.0f}% [{100 * low:.0f}, {100 * high:.0f}]"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns padded to their widest cell; the first one to the left."""
    widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]
    lines = []
    for row in [head, ["-" * w for w in widths], *rows]:
        first = str(row[0]).ljust(widths[0])
        lines.append("  ".join([first, *(str(c).rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]))
    return "\n".join(lines)


def goal(name: str, value: float, limit: float, unit: str = "", at_least: bool = False) -> tuple[str, bool]:
    """The line for one goal, and whether it is reached."""
    ok = value >= limit if at_least else value <= limit
    sign = ">=" if at_least else "<="
    return f"{name}: {value:.4g}{unit}, goal {sign} {limit:g}{unit}: {'ok' if ok else 'MISSED'}", ok


def parser(description: str) -> argparse.ArgumentParser:
    """With the options of every benchmark: --json and --strict."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    made.add_argument("--strict", action="store_true", help="exit with 1 when a goal is missed")
    return made


def data_option(made: argparse.ArgumentParser) -> None:
    """--data: the prepared corpora."""
    made.add_argument("--data", type=Path, default=Path("data/prepared"), help="folder of prepared corpora")


def model_option(made: argparse.ArgumentParser) -> None:
    """--model: shipped weights or a checkpoint folder."""
    made.add_argument("--model", default="momask", help="shipped weights by name, or a checkpoint folder")


def run(main: Callable[[], tuple[dict[str, Any], bool, argparse.Namespace]]) -> None:
    """Run a benchmark: print the machine first, write --json, turn errors and --strict into exit codes."""
    from laban.errors import LabanError

    here = machine()
    print(here, flush=True)
    try:
        figures, reached, options = main()
    except LabanError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    if options.json:
        options.json.write_text(json.dumps({"machine": here, **figures}, indent=1) + "\n")
        print(f"written: {options.json}")
    sys.exit(1 if options.strict and not reached else 0)
