"""24 captions, a strip of ten frames each: `python tools/docs/godiva_sheet.py docs/godiva-sheet.png [--seed 0]`.

Twelve single digits of seen pairs, four held-out pairs, eight of two digits. One sample each, none chosen.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import laban
from laban.data.corpora.mnist import caption, held_out
from laban.drawing.caption import INK, font
from laban.io import frames
from laban.io.atomic import replacing

SINGLE = [(d, (d + k) % 4) for k, d in enumerate((0, 1, 2, 3, 4, 5, 6, 7))]
SINGLE = [(d, m if not held_out(d, m) else (m + 1) % 4) for d, m in SINGLE] + [(8, 4), (9, 5), (2, 4), (5, 5)]
HELD = [(d, (d + 2) % 4) for d in (1, 4, 6, 9)]
DOUBLE = [((7, 3), (3, 0)), ((1, 1), (8, 3)), ((0, 0), (4, 3)), ((9, 2), (2, 1)), ((6, 1), (5, 2)), ((3, 3), (1, 5)),
          ((8, 0), (0, 5)), ((4, 4), (7, 2))]  # fmt: skip


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("out", type=Path)
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--model", default="godiva")
    options = made.parse_args()
    system = laban.load(options.model)
    told = [(caption([pair]), "") for pair in SINGLE] + [(caption([pair]), " (held out)") for pair in HELD]
    told += [(caption(list(pairs)), "") for pairs in DOUBLE]
    videos = system.generate([laban.TextRequest(text) for text, _ in told], seed=options.seed)
    strips = [frames.strip(v) for v in videos]
    (height, width), bar, gap = strips[0].shape[:2], 18, 8
    columns, rows = 2, -(-len(told) // 2)
    sheet = Image.new("RGB", (columns * (width + gap) + gap, rows * (height + bar + gap) + gap), (247, 247, 246))
    draw = ImageDraw.Draw(sheet)
    for n, ((text, note), strip) in enumerate(zip(told, strips, strict=True)):
        x, y = gap + n // rows * (width + gap), gap + n % rows * (height + bar + gap)
        draw.text((x, y), text + note, font=font(13), fill=INK)
        sheet.paste(Image.fromarray(strip), (x, y + bar))
    with replacing(options.out) as beside:
        sheet.quantize(16).save(beside, format="PNG", optimize=True)
    print(f"{options.out}: {len(told)} captions, {np.asarray(sheet).shape}")


if __name__ == "__main__":
    main()
