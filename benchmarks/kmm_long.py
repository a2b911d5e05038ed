"""FlowMDM's protocol for long motion (laban/metrics/long_motion.py): 32 compositions of 32, ten repeats.

    python benchmarks/kmm_long.py --data data/prepared [--model kmm] [--repeats 10] [--compositions 32] [--length 32]
    python benchmarks/kmm_long.py --babel val.json --features FOLDER ...        # BABEL's texts and motions, (T, 263)

Without BABEL the texts are captions of held-out clips of the prepared corpora, half of the lengths the clips' own, half
drawn from 1 to 6.7 s (30 to 200 frames at 30 fps). The embedding is benchmarks/kmm_encoders.py's, trained on the train
split alone (500 steps, kept at --encoder), so values compare only with others of this command: not with a paper's.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from report import data_option, model_option, parser, run, table


class ByEncoder:
    """Joints to embeddings: canonical features, then the encoder."""

    def __init__(self, encoder: Any) -> None:
        self.encoder = encoder

    def motions(self, motions: Any) -> np.ndarray:
        from laban.data.clips import canonical
        from laban.motion import humanml

        return self.encoder.motions([humanml.features_of(canonical(m)).astype(np.float32) for m in motions])

    def texts(self, texts: Any) -> np.ndarray:
        return self.encoder.texts(texts)


def main() -> tuple[dict[str, Any], bool, argparse.Namespace]:
    made = parser("FlowMDM's protocol")
    data_option(made)
    model_option(made)
    made.set_defaults(model="kmm")
    made.add_argument("--babel", type=Path, help="BABEL's val.json; with --features")
    made.add_argument("--features", type=Path, help="folder of (T, 263) features of AMASS")
    made.add_argument("--directional", action="store_true", help="only texts that name one side")
    made.add_argument("--repeats", type=int, default=10)
    made.add_argument("--compositions", type=int, default=32)
    made.add_argument("--length", type=int, default=32)
    made.add_argument("--encoder", type=Path, default=Path("runs/kmm-experiment/encoder-11.safetensors"))
    made.add_argument("--seed", type=int, default=0)
    options = made.parse_args()

    from kmm_encoders import Encoder

    import laban
    from laban.data import babel_scripts as babel
    from laban.data.corpus import Corpus
    from laban.errors import InputError
    from laban.metrics.long_motion import Performance, protocol
    from laban.motion import humanml

    corpus = Corpus.open(options.data)
    system: Any = laban.load(options.model)
    real: list[tuple[np.ndarray, str]] = []
    if options.babel:
        if options.features is None:
            raise InputError("--babel needs --features, the folder of (T, 263) features of AMASS.")
        recordings = babel.read(options.babel)
        actions = babel.single_actions(recordings)
        for recording in recordings:
            rows = babel.features(options.features, recording)
            if rows.shape[1] != 263:
                raise InputError(
                    f"{recording.path}: features have {rows.shape[1]} columns; kmm works on 263 at 20 fps."
                )
            for action in recording.actions:
                part = rows[round(action.start * 20) : round(action.end * 20)]
                if not action.is_transition and 20 <= len(part) <= 134:
                    real.append((humanml.decode(part.astype(np.float64)), action.text))
    else:
        records = [r for r in corpus.select("test", mirrored=False) if r.captions and 20 <= r.length <= 134]
        actions = [babel.Action(r.captions[0], 0.0, r.length / corpus.fps) for r in records]
        real = [(np.asarray(corpus.joints(r), np.float64), r.captions[0]) for r in records]
    if options.directional:
        actions = babel.directional(actions)
    scripts = babel.compositions(actions, options.compositions, options.length, options.seed)
    encoder = Encoder.trained(corpus, system.text_encoder, options.encoder, 11, 500)
    repeats = []
    for repeat in range(options.repeats):
        row = []
        for number, script in enumerate(scripts):
            lines = [f"{' '.join(text.replace('@', ' ').split())} @{frames / 30:.3f}" for text, frames in script]
            motion = system.compose(lines, options.seed + repeat, index=number)
            bounds = tuple(round(s.end * motion.fps) for s in motion.segments)
            row.append(Performance(motion.joints(), tuple(t for t, _ in script), bounds))
        repeats.append(row)
    found = protocol(repeats, real, ByEncoder(encoder), options.seed)
    print(f"{options.repeats} repeats of {options.compositions} times {options.length} lines; {len(real)} real motions")
    print(table(["", "mean", "95 %"], [[k, f"{v.mean:.4f}", f"{v.half:.4f}"] for k, v in sorted(found.items())]))
    return {k: vars(v) for k, v in found.items()}, True, options


if __name__ == "__main__":
    run(main)
