"""What actions read: sentences, and the models and libraries that several of them open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from laban.actions.context import Context
from laban.actions.reading import ReadOptions, read
from laban.errors import InputError
from laban.systems.requests import MAX_CHARACTERS

if TYPE_CHECKING:
    from laban.motion.motion import Motion
    from laban.systems.capabilities import Embeds
    from laban.systems.motionclip.library import Library, Report

MAX_FILE = 1 << 20  # bytes of a file of sentences
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
    if not prompts.is_file():
        raise InputError(f"{prompts}: there is no such file. --prompts wants a text file, one sentence per line.")
    if prompts.stat().st_size > MAX_FILE:
        raise InputError(f"{prompts}: is larger than {MAX_FILE >> 20} MiB. Split it into several files.")
    try:
        lines = prompts.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise InputError(f"{prompts}: is not UTF-8 text. Save it as UTF-8, one sentence per line.") from None
    found = [
        checked(line, f"{prompts}, line {number}")
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not found:
        raise InputError(f"{prompts}: holds no sentence. Write one per line; lines that begin with # are skipped.")
    return found


def checked(sentence: str, where: str) -> str:
    """The sentence with single spaces. Raises InputError if it is longer than MAX_CHARACTERS or is no text."""
    sentence = " ".join(sentence.split())
    if not sentence.isprintable():  # control characters, and bytes that were no UTF-8
        raise InputError(f"{where} holds characters that are no text: {ascii(sentence[:60])}. Write plain English.")
    if len(sentence) > MAX_CHARACTERS:
        raise InputError(
            f"{where} has {len(sentence)} characters; expected at most {MAX_CHARACTERS}. Describe one motion."
        )
    return sentence


def motion_of(source: Path | Motion, context: Context) -> Motion:
    """The motion, read if it is a file, with what its reader assumed told. Raises: as `laban.read`."""
    return read(source, ReadOptions(), context)


def give_encoder(system: Any, path: Path) -> None:
    """Sets the text encoder of a system that takes one. InputError if it does not."""
    from laban.systems.texts import ReadsText

    if not isinstance(system, ReadsText):
        raise InputError(f"--text-encoder: the system {system.name} reads no text. Leave it out.")
    from laban.condition.clip_text import ClipTextEncoder

    system.text_encoder = ClipTextEncoder.load(path)


def open_space(model: str, context: Context, text_encoder: Path | None = None) -> Embeds:
    """The latent space of a name or folder.

    Args:
        model: of a system that embeds motions and words.
        context: whose models are used.
        text_encoder: folder or file of CLIP's weights, for released models.
    Raises: InputError if the weights are of another system.
    """
    from laban.systems.capabilities import Embeds

    system = context.models.load(Embeds, model, context.device)
    if text_encoder is not None:
        give_encoder(system, text_encoder)
    return system


def refreshed(library: Library, system: Embeds, index: Path | None, context: Context) -> Report:
    """Bring an index up to date, and warn of the first skipped files."""
    report = library.update(system, lambda done, total: context.progress(done, total, "index"), index)
    for name, why in list(report.skipped.items())[:3]:
        context.warn(f"{name} is left out: {why}")
    if len(report.skipped) > 3:
        context.warn(f"and {len(report.skipped) - 3} more")
    return report
