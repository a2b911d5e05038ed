"""What actions read: sentences, and the models and libraries that several of them open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from laban.actions.context import Context
from laban.actions.reading import ReadOptions, read
from laban.errors import InputError
from laban.systems.sentences import check_sentence, read_lines

if TYPE_CHECKING:
    from laban.motion.motion import Motion
    from laban.systems.capabilities import Embeds
    from laban.systems.motionclip.library import IndexReport, Library

MAX_SECONDS = 600.0  # of one motion that no system goes beyond; each has a limit of its own


def sentences(text: str, prompts: Path | None) -> list[str]:
    """The sentences to perform: TEXT, or the lines of a file without blank lines and # comments.

    Raises: InputError for neither, both, an unreadable file, nothing in it, or a sentence that is too long.
    """
    if prompts is None:
        if not text.strip():
            raise InputError("there is no sentence. Write what the person does, in quotes, or give --prompts FILE.")
        return [checked(text, "the sentence")]
    if text:
        raise InputError("both a sentence and --prompts were given. Leave one of them out.")
    lines = read_lines(prompts, "--prompts wants a text file, one sentence per line.")
    if not lines:
        raise InputError(f"{prompts}: holds no sentence. Write one per line; lines that begin with # are skipped.")
    return [checked(line, where) for line, where in lines]


def checked(sentence: str, where: str) -> str:
    """The sentence with single spaces. Raises InputError if it is longer than MAX_CHARACTERS or is no text."""
    sentence = " ".join(sentence.split())
    check_sentence(sentence, where)
    return sentence


def motion_of(source: Path | Motion, context: Context) -> Motion:
    """The motion, read if it is a file, with what its reader assumed told. Raises: as `laban.read`."""
    return read(source, ReadOptions(), context)


def open_space(model: str, context: Context, text_encoder: Path | None = None) -> Embeds:
    """The latent space of a name or folder.

    Args:
        model: of a system that embeds motions and words.
        context: whose models are used.
        text_encoder: folder or file of CLIP's weights, for released models.
    Raises: InputError if the weights are of another system.
    """
    from laban.systems.capabilities import Embeds

    return context.models.load(Embeds, model, context.device, text_encoder=text_encoder)


def refreshed(library: Library, system: Embeds, index: Path | None, context: Context) -> IndexReport:
    """Bring an index up to date, and warn of the first skipped files."""
    report = library.update(system, lambda done, total: context.progress(done, total, "index"), index)
    for name, why in list(report.skipped.items())[:3]:
        context.warn(f"{name} is left out: {why}")
    if len(report.skipped) > 3:
        context.warn(f"and {len(report.skipped) - 3} more")
    return report
