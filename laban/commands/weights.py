"""`laban import-weights`: other people's released weights into a checkpoint of Laban."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import Positional

from laban.commands.output import print_json
from laban.errors import InputError


def import_weights(
    system: Positional[Literal["momask", "motionclip"]],
    released: Positional[Path],
    out: Positional[Path],
    tokenizer: str | None = None,
    masked: str | None = None,
    residual: str | None = None,
    ignore_option: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = (),
    json: bool = False,
    quiet: bool = False,
) -> int:
    """Turn a released checkpoint folder into one that `--model` takes. Nothing in the files is executed.

    What is missing, unknown or of a wrong shape is named, and nothing is written then. The released models read CLIP
    features: give --text-encoder to `laban generate`.

    Args:
        system: whose release it is: momask or motionclip.
        released: the released folder: MoMask's checkpoints/t2m or checkpoints/kit; MotionCLIP's, with opt.yaml.
        out: folder to write; must be new or empty.
        tokenizer: of MoMask: name of the folder in it with the tokenizer, where several could be meant.
        masked: the same of the masked transformer.
        residual: the same of the residual transformer.
        ignore_option: a key of opt.txt that Laban does not know and that changes nothing. Repeat it for several.
        json: print one JSON object.
        quiet: print nothing when all is well.
    """
    if not released.is_dir():
        raise InputError(f"{released}: there is no such folder. Give the released one, as its authors publish it.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: exists and is not an empty folder. Name a new one.")
    if not out.resolve().parent.is_dir():
        raise InputError(f"{out}: there is no folder {out.resolve().parent}. Create it, or name another.")

    named = {k: v for k, v in (("tokenizer", tokenizer), ("masked", masked), ("residual", residual)) if v is not None}
    if system == "motionclip":
        if named or ignore_option:
            raise InputError("--tokenizer, --masked, --residual and --ignore-option are about MoMask. Leave them out.")
        from laban.systems.motionclip.importing import import_weights as import_motionclip

        told = import_motionclip(released, out)
        if json:
            print_json(told)
        elif not quiet:
            print("\n".join(f"{key}: {value}" for key, value in told.items()))
        return 0

    from laban.systems.momask.released import import_released

    made = import_released(released, named, ignore_option)
    made.save(out, card=card(released))
    counts = {stage: sum(p.numel() for p in made.module(stage).parameters()) for stage in made.stages()}
    facts = {"out": str(out.resolve()), "layout": made.layout.name, "fps": made.config.fps, "parameters": counts}
    if json:
        print_json(facts)
    elif not quiet:
        sizes = ", ".join(f"{stage} {count / 1e6:.3f} M" for stage, count in counts.items())
        print(f"{out}: {made.layout.name}, {made.config.fps:g} fps, parameters: {sizes}")
        print(f"its texts are features of width {made.config.text.width}; `laban check momask` compares outputs")
    return 0


def card(released: Path) -> str:
    """The model card of imported weights."""
    return (
        f"# momask, imported\n\nFrom `{released.name}` by `laban import-weights momask`. The licence is that of the "
        "released files and of the data they were trained on; Laban does not know it.\n"
    )
