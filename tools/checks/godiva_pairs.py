"""A blind sheet for people, as the paper's raters had: two videos of one caption, which is better?

    python tools/checks/godiva_pairs.py make A B OUT.html [--pairs 32] [--seed 0]     A, B: models by name or folder
    python tools/checks/godiva_pairs.py tally OUT.key.json ANSWERS.json ...

The page holds both videos of every caption side by side, in an order that only OUT.key.json knows, and asks for visual
realism (VR: which looks more real) and semantic consistency (SC: which fits the words). Its button saves the answers as
a file. `tally` prints each model's share of wins with its Wilson interval; "neither" counts for none.
"""

from __future__ import annotations

import argparse
import base64
import html
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Which video?</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline';
 script-src 'unsafe-inline'">
<style>body{{font:16px sans-serif;max-width:720px;margin:2em auto;color:#262e3a}}section{{margin:2em 0}}
img{{width:256px;image-rendering:pixelated;margin-right:1em}}label{{margin-right:1em}}</style>
<h1>Which video?</h1><p>For each sentence choose the video that looks more real, and the one that fits the sentence
better. Then save your answers and send the file.</p>{sections}
<p><button id="save">Save answers</button> <span id="left"></span></p>
<script>
document.getElementById('save').onclick = () => {{
  const answers = {{}};
  for (const input of document.querySelectorAll('input:checked')) answers[input.name] = input.value;
  const missing = {count} * 2 - Object.keys(answers).length;
  document.getElementById('left').textContent = missing ? missing + ' questions are open' : 'saved';
  const link = document.createElement('a');
  const text = JSON.stringify({{sheet: '{stamp}', answers}});
  link.href = URL.createObjectURL(new Blob([text], {{type: 'application/json'}}));
  link.download = 'answers.json'; link.click();
}};
</script></html>
"""


def make(a: str, b: str, out: Path, pairs: int, seed: int) -> None:
    """Write the page and, beside it, the key."""
    import laban
    from laban.data.corpora.mnist import MOTIONS, caption, held_out
    from laban.io import frames
    from laban.io.atomic import replacing

    rng = np.random.default_rng(seed)
    every = [(d, m) for d in range(10) for m in range(len(MOTIONS)) if not held_out(d, m)]
    chosen = [caption([every[n]]) for n in rng.permutation(len(every))[:pairs]]
    requests = [laban.TextRequest(text) for text in chosen]
    videos: dict[str, Any] = {m: laban.load(m).generate(requests, seed=seed) for m in (a, b)}
    order = [[a, b] if side else [b, a] for side in rng.integers(2, size=len(chosen))]
    sections = []
    with tempfile.TemporaryDirectory() as place:
        for n, (text, models) in enumerate(zip(chosen, order, strict=True)):
            images = []
            for model in models:
                file = Path(place) / "v.gif"
                frames.write(videos[model][n], file)
                images.append(
                    f'<img alt="" src="data:image/gif;base64,{base64.b64encode(file.read_bytes()).decode()}">'
                )
            asked = "".join(
                f"<p>{question}: "
                + "".join(
                    f'<label><input type="radio" name="{kind}{n}" value="{value}"> {word}</label>'
                    for value, word in ((0, "left"), (1, "right"), (-1, "neither"))
                )
                + "</p>"
                for kind, question in (("VR", "Looks more real"), ("SC", "Fits the sentence better"))
            )
            sections.append(f"<section><h2>{n + 1}. {html.escape(text)}</h2>{''.join(images)}{asked}</section>")
    stamp = f"{out.stem}-{seed}-{len(chosen)}"
    with replacing(out) as beside:
        beside.write_text(PAGE.format(sections="".join(sections), count=len(chosen), stamp=stamp), encoding="utf-8")
    with replacing(out.with_suffix(".key.json")) as beside:
        beside.write_text(json.dumps({"sheet": stamp, "captions": chosen, "order": order}, indent=1))
    print(f"{out}: {len(chosen)} captions; the key is {out.with_suffix('.key.json')}: do not show it to raters")


def tally(key: Path, answers: list[Path]) -> dict[str, dict[str, tuple[int, int]]]:
    """Wins and comparisons of each model for VR and SC. Raises: InputError for answers to another sheet."""
    from laban.errors import InputError

    known = json.loads(key.read_text())
    found = {kind: {model: [0, 0] for model in known["order"][0]} for kind in ("VR", "SC")}
    for path in answers:
        said = json.loads(path.read_text())
        if said.get("sheet") != known["sheet"]:
            raise InputError(f"{path}: answers sheet {said.get('sheet')!r}, the key is of {known['sheet']!r}.")
        for name, value in said["answers"].items():
            models, winner = known["order"][int(name[2:])], int(value)
            for side, model in enumerate(models):
                found[name[:2]][model][0] += side == winner
                found[name[:2]][model][1] += 1
    return {kind: {model: (w, n) for model, (w, n) in rows.items()} for kind, rows in found.items()}


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = made.add_subparsers(dest="kind", required=True)
    one = kinds.add_parser("make")
    one.add_argument("a")
    one.add_argument("b")
    one.add_argument("out", type=Path)
    one.add_argument("--pairs", type=int, default=32)
    one.add_argument("--seed", type=int, default=0)
    two = kinds.add_parser("tally")
    two.add_argument("key", type=Path)
    two.add_argument("answers", type=Path, nargs="+")
    options = made.parse_args()
    if options.kind == "make":
        make(options.a, options.b, options.out, options.pairs, options.seed)
        return
    from report import share, table

    found = tally(options.key, options.answers)
    rows = [[model, *(share(*found[kind][model]) for kind in ("VR", "SC"))] for model in found["VR"]]
    print(f"{len(options.answers)} raters")
    print(table(("model", "VR wins", "SC wins"), rows))


if __name__ == "__main__":
    main()
