"""Pictures of docs/authoring.md: a path from above, a cycle three times, key poses beside achieved ones.

python tools/docs/authoring_sheets.py docs [--samples 8]
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

import laban
from laban.actions.context import Context
from laban.authoring.author import Authored
from laban.authoring.timeline import Prompt
from laban.drawing.picture import contact_sheet
from laban.evaluate.authoring_rows import pose_of
from laban.motion import loops, travel
from laban.motion.curves import Curve

PATROL = Path(__file__).parents[2] / "examples" / "patrol.timeline.json"
SCALE = 90  # pixels of a metre
ROOM = 50


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("out", type=Path)
    made.add_argument("--samples", type=int, default=8)
    options = made.parse_args()
    timeline, context = replace(laban.Timeline.read(PATROL), samples=options.samples), Context()
    patrol = laban.author(timeline, context=context)
    print("\n".join(patrol.report.lines()))
    (options.out / "authoring-path.svg").write_text(from_above(timeline, patrol))
    contact_sheet(
        [patrol.motion, loops.repeated(patrol.motion, 3)],
        ["patrol: three waypoints, a switch at 5 s, a cycle", "the same, three times on end"],
        options.out / "authoring-loop.png", poses_shown=12,
    )  # fmt: skip
    pose_sheet(options.out / "authoring-poses.png", context, options.samples)


def from_above(timeline: laban.Timeline, made: Authored) -> str:
    """The asked curve and points, the achieved travel, and the hand's place, as SVG; ahead is to the right."""
    path = timeline.paths[0]
    points = np.array([p.xz for p in path.points])
    curve = Curve.through(points, np.array([p.at for p in path.points]))
    way = travel.of(made.motion, circular=timeline.loop is not None).xz
    every = np.concatenate([points, way])
    low, high = every.min(0) - 0.5, every.max(0) + 0.5

    def at(xz: np.ndarray) -> str:
        return f"{ROOM + (xz[1] - low[1]) * SCALE:.1f},{ROOM + (high[0] - xz[0]) * SCALE:.1f}"

    width, height = 2 * ROOM + (high[1] - low[1]) * SCALE, 2 * ROOM + (high[0] - low[0]) * SCALE
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width:.0f}' height='{height:.0f}' font-family='sans-serif'>"
    ]
    parts.append("<rect width='100%' height='100%' fill='white'/>")
    for line, colour, wide in ((curve.places, "#c1666b", 6), (way, "#2a6f97", 2)):
        places = " ".join(at(p) for p in line)
        parts.append(f"<polyline points='{places}' fill='none' stroke='{colour}' stroke-width='{wide}' opacity='0.8'/>")
    for point in path.points:
        x, y = at(np.array(point.xz)).split(",")
        parts.append(f"<circle cx='{x}' cy='{y}' r='6' fill='none' stroke='#111'/>")
        parts.append(f"<text x='{x}' y='{float(y) - 12:.1f}' font-size='12' text-anchor='middle'>{point.at:g} s</text>")
    for effector in timeline.effectors:
        for key in effector.keys:
            x, y = at(np.array(key.position)[[0, 2]]).split(",")
            parts.append(f"<rect x='{float(x) - 5:.1f}' y='{float(y) - 5:.1f}' width='10' height='10' fill='#4d9078'/>")
            parts.append(
                f"<text x='{x}' y='{float(y) + 20:.1f}' font-size='12' text-anchor='middle'>{effector.joint}</text>"
            )
    parts.append("<text x='12' y='22' font-size='13'>asked: red; achieved travel: blue; metres seen from above</text>")
    return "\n".join([*parts, "</svg>\n"])


def pose_sheet(path: Path, context: Context, samples: int) -> None:
    """A key pose out of a bow, asked of somebody who stands, beside what was made."""
    bow = laban.generate("a person bows", seconds=3, seed=1, context=context)
    frame = int(bow.joints()[:, 15, 1].argmin())
    key = replace(pose_of(bow, frame / bow.fps), at=2.0, root=None, id="bow", parts=("upper",))
    asked = laban.Timeline(4.0, prompts=(Prompt(0, 4, "a person stands still"),), poses=(key,), samples=samples)
    made = laban.author(asked, context=context)
    print("\n".join(made.report.lines()))
    asked_pose = bow.crop(frame / bow.fps, (frame + 1) / bow.fps)
    titles = ["the pose that is asked of trunk, arms and head", "from a second before it to a second after it"]
    contact_sheet([asked_pose, made.motion.crop(1.0, 3.0 + 1 / made.motion.fps)], titles, path, poses_shown=7)


if __name__ == "__main__":
    main()
