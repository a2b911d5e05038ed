"""`laban evaluate`: a system, or motions from files, scored beside real motion and control rows."""

from __future__ import annotations

from laban.actions.evaluate import EvaluateOptions
from laban.actions.evaluate import evaluate as scored
from laban.commands.arguments import takes_options
from laban.commands.output import console, print_json, set_threads


@takes_options("system")
def evaluate(
    options: EvaluateOptions, device: str = "auto", threads: int | None = None, json: bool = False, quiet: bool = False
) -> int:
    """Scores a system on held-out clips, beside real motion and rows that a score has to tell from it.

    Writes OUT/report.md, report.json, plots and the motions that were made. Started again with the same options it
    goes on where a stopped run stood. What the figures mean: docs/evaluation.md.
    fact has a protocol of its own, 40 dances of 1,200 frames scored beside their songs' beats (docs/method/fact.md);
    of the options, --cases, --quick, --aist, --seed, --device and --threads are about it. So has godiva: do judges see
    the digit and the motion of the caption in 500 videos (docs/method/godiva.md); its --data is mnist.tar.

    --protocol long is FlowMDM's for long motion instead: compositions of many texts, scored by segment and at their
    boundaries. It writes OUT/long.md and long.json; its full size is --compositions 32 --length 32 --repeats 10.

    Args:
        device: cpu, cuda or auto.
        threads: CPU threads of torch.
        json: Print the report as one JSON object.
        quiet: No progress bar, and no table on stdout.
    """
    options.checked()
    set_threads(threads)
    report = scored(options, console(device, quiet or json))
    if json:
        print_json(report.facts)
    elif not quiet:
        print(report.page)
        print(f"written: {options.out}")
    return 0
