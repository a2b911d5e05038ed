"""Other people's released weights into a checkpoint of Laban."""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import Any, Literal

from laban.actions.context import Context
from laban.actions.options import described
from laban.errors import InputError

PARTS = ("tokenizer", "masked", "residual")


@dataclass(frozen=True)
class ImportOptions:
    """Whose release is read, and where the checkpoint goes."""

    system: Literal["momask", "motionclip"] = described(MISSING, "whose release it is: momask or motionclip.")
    released: Path = described(
        MISSING,
        "the released folder: MoMask's checkpoints/t2m or checkpoints/kit; MotionCLIP's, with opt.yaml.",
    )
    out: Path = described(MISSING, "folder to write; must be new or empty.")
    tokenizer: str | None = described(
        None, "of MoMask: name of the folder in it with the tokenizer, where several could be meant."
    )
    masked: str | None = described(None, "the same of the masked transformer.")
    residual: str | None = described(None, "the same of the residual transformer.")
    ignore_option: tuple[str, ...] = described(
        (), "a key of opt.txt that Laban does not know and that changes nothing. Repeat it for several."
    )


@dataclass(frozen=True)
class Imported:
    """What was imported.

    Attributes:
        facts: for a person or a script to read.
        lines: the same in sentences.
    """

    facts: dict[str, Any]
    lines: tuple[str, ...]


def import_weights(options: ImportOptions, context: Context) -> Imported:
    """Turns a released checkpoint folder into one that `load` takes. Nothing in the files is executed.

    What is missing, unknown or of a wrong shape is named, and nothing is written then. The released models read CLIP
    features, which must be given to them.

    Args:
        options: what is imported.
        context: asked whether to go on before anything is written.
    Raises: InputError, WeightsError for a folder that is not as its authors publish it.
    """
    released, out = options.released, options.out
    if not released.is_dir():
        raise InputError(f"{released}: there is no such folder. Give the released one, as its authors publish it.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: exists and is not an empty folder. Name a new one.")
    if not out.resolve().parent.is_dir():
        raise InputError(f"{out}: there is no folder {out.resolve().parent}. Create it, or name another.")
    named = {part: name for part in PARTS if (name := getattr(options, part)) is not None}
    context.check()
    if options.system == "motionclip":
        if named or options.ignore_option:
            raise InputError("--tokenizer, --masked, --residual and --ignore-option are about MoMask. Leave them out.")
        from laban.systems.motionclip.released.importer import import_weights as import_motionclip

        facts = import_motionclip(released, out)
        return Imported(facts, tuple(f"{key}: {value}" for key, value in facts.items()))
    from laban.systems.momask.released.importer import import_released

    made = import_released(released, named, options.ignore_option)
    context.check()
    made.save(out, card=card(released))
    counts = {stage: sum(p.numel() for p in made.module(stage).parameters()) for stage in made.stages()}
    sizes = ", ".join(f"{stage} {count / 1e6:.3f} M" for stage, count in counts.items())
    return Imported(
        {"out": str(out.resolve()), "layout": made.layout.name, "fps": made.config.fps, "parameters": counts},
        (
            f"{out}: {made.layout.name}, {made.config.fps:g} fps, parameters: {sizes}",
            f"its texts are features of width {made.config.text.width}; `laban check momask` compares outputs",
        ),
    )


def card(released: Path) -> str:
    """The model card of imported weights."""
    return (
        f"# momask, imported\n\nFrom `{released.name}` by `laban import-weights momask`. The licence is that of the "
        "released files and of the data they were trained on; Laban does not know it.\n"
    )
