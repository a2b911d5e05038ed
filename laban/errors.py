"""The errors that Laban raises on purpose. Each message says what was wrong, what was expected, what to do."""

from __future__ import annotations


class LabanError(Exception):
    """Something the user can change; the command line prints it in one line and exits with `exit_code`."""

    exit_code = 2


class InputError(LabanError):
    """A value that a command or function cannot work with."""


class FormatError(LabanError):
    """A file that cannot be read as what its suffix says."""


class ShapeError(LabanError, ValueError):
    """An array whose shape does not fit its skeleton or feature layout."""


class WeightsError(LabanError):
    """Weights that are missing, damaged, or of another shape."""


class CheckFailed(LabanError):
    """A comparison with expected values failed."""

    exit_code = 1


def sentence(error: BaseException) -> str:
    """An error as one line for a person: what, and on which file. Only a failed check needs more: its table."""
    if isinstance(error, MemoryError):
        return "not enough memory. Ask for fewer samples, fewer prompts or fewer seconds."
    if isinstance(error, OSError) and not isinstance(error, LabanError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}"
    if isinstance(error, CheckFailed):
        return str(error)  # a table, one line per array
    return " ".join(str(error).split()) or type(error).__name__
