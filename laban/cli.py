"""The command line: finds the command, parses its options, turns errors into exit codes.

Exit codes: 0 done, 1 a check failed, 2 the user must change something, 130 interrupted.
Only the chosen command's module is imported, so `laban --help` needs neither torch nor tyro.
"""

from __future__ import annotations

import contextlib
import difflib
import functools
import gc
import importlib
import io
import os
import re
import sys
import warnings
from collections.abc import Callable, Sequence

from laban.errors import InputError, LabanError, sentence

# command -> (module:function, one line of help)
COMMANDS: dict[str, tuple[str, str]] = {
    "generate": ("laban.commands.generate:generate", "text to motion"),
    "vocabulary": ("laban.commands.vocabulary:vocabulary", "the actions that a model was trained on"),
    "edit": ("laban.commands.edit:edit", "a stretch of a motion made anew by words, the rest kept"),
    "search": ("laban.commands.search:search", "the clips of a folder that fit a sentence"),
    "blend": ("laban.commands.latent:blend", "steps from one clip to another"),
    "mix": ("laban.commands.latent:mix", "a clip changed by words or by other clips"),
    "recognise": ("laban.commands.latent:recognise", "what happens in a motion file"),
    "caption": ("laban.commands.latent:caption", "the phrases nearest to a motion file"),
    "script": ("laban.commands.script:script", "a script of lines to one long motion"),
    "author": ("laban.commands.author:author", "a timeline of prompts, poses, paths and places to a motion"),
    "import-timeline": ("laban.commands.author:import_timeline", "Kimodo's, MMCP's or a script's wishes as a timeline"),
    "dance": ("laban.commands.dance:dance", "a song to a dance"),
    "video": ("laban.commands.video:video", "text to a small video"),
    "convert": ("laban.commands.convert:convert", "a motion file into another format"),
    "render": ("laban.commands.convert:render", "a motion file into a film, a picture or a page"),
    "info": ("laban.commands.convert:info", "what is in a motion file"),
    "character inspect": ("laban.commands.character:inspect", "which bone of a character is which"),
    "retarget": ("laban.commands.character:retarget", "a motion onto your own character"),
    "clean": ("laban.commands.clean:clean", "feet that slide, a floor that is not level, tremble"),
    "serve": ("laban.commands.serve:serve", "jobs over HTTP, for programs and plug-ins"),
    "mcp": ("laban.commands.serve:mcp", "the same for an agent, over stdin and stdout"),
    "data prepare": ("laban.commands.data:prepare", "a published corpus into arrays to train on"),
    "data leaks": ("laban.commands.data:leaks", "held-out clips that are training clips by another name"),
    "data fetch": ("laban.commands.data:fetch", "the public sources of a corpus"),
    "train": ("laban.commands.train:train", "a system, stage by stage"),
    "evaluate": ("laban.commands.evaluate:evaluate", "a system, or motions from files, scored beside real motion"),
    "check features": ("laban.commands.check:features", "this installation against expected values"),
    "check metrics": ("laban.commands.check:metrics", "the metrics against expected values"),
    "import-weights": ("laban.commands.weights:import_weights", "released weights into a checkpoint of Laban"),
    "check momask": ("laban.commands.check:momask", "a released MoMask folder against its expected outputs"),
    "check motionclip": ("laban.commands.check:motionclip", "the released MotionCLIP against expected values"),
    "check evaluator": ("laban.commands.check:evaluator", "the T2M evaluator against expected embeddings"),
}


def entry() -> None:
    """The `laban` script."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that cannot show a letter is no reason to fail
    warnings.showwarning = tell_once  # without the line of source that raised it
    gc.set_threshold(100_000, 20, 50)  # importing torch made 200 searches for garbage, 0.2 s, and found none
    code = main(sys.argv[1:])
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)  # taking torch apart again takes 0.4 s; files are closed, and no thread of ours goes on


def tell_once(message: Warning | str, *_: object, **__: object) -> None:
    """A warning of Python's as one line on stderr, each text once."""
    text = " ".join(str(message).split())
    if text not in _TOLD:
        _TOLD.add(text)
        print(f"laban: warning: {text}", file=sys.stderr)


_TOLD: set[str] = set()


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        argv: the words after `laban`; None takes those of this process.
    Returns: the exit code; never raises for what a user did, unless LABAN_DEBUG=1 asks for the traceback.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    try:
        return dispatch(argv)
    except KeyboardInterrupt:
        print("laban: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output left (`laban info x | head -1`); nobody is there to be told.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (LabanError, OSError, MemoryError) as error:
        if os.environ.get("LABAN_DEBUG") == "1":
            raise
        print(f"laban: error: {sentence(error)}", file=sys.stderr)
        return error.exit_code if isinstance(error, LabanError) else 2


def dispatch(argv: list[str]) -> int:
    """Finds the command that `argv` begins with and calls it.

    Raises: InputError for an unknown command or for options that the command does not take.
    """
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(overview())
        return 0
    if argv[0] in ("-V", "--version"):
        from laban import __version__

        print(f"laban {__version__}")
        return 0
    for words in (2, 1):
        name = " ".join(argv[:words])
        if name in COMMANDS:
            module, _, function = COMMANDS[name][0].partition(":")
            command = getattr(importlib.import_module(module), function)
            return parse_and_call(command, name, argv[words:])
    group = [name for name in COMMANDS if name.startswith(argv[0] + " ")]
    if group:
        if argv[1:] and argv[1] in ("-h", "--help"):
            print(overview(group))
            return 0
        raise InputError(f"`laban {argv[0]}` needs one more word. Write one of: {', '.join(group)}.")
    near = difflib.get_close_matches(argv[0], sorted({name.split()[0] for name in COMMANDS}), n=1)
    hint = f"Did you mean `laban {near[0]}`?" if near else "`laban --help` lists the commands."
    raise InputError(f"there is no command `{argv[0]}`. {hint}")


def parse_and_call(command: Callable[..., int], name: str, argv: list[str]) -> int:
    """Parses `argv` by the command's signature and calls it.

    Returns: the command's exit code.
    Raises: InputError, one line, for what the signature does not allow.
    """
    import tyro

    # tyro calls the function itself; this keeps its own complaints (a box on stderr) apart from the command's.
    call: Callable[[], int] | None = None

    @functools.wraps(command)
    def parsed(*args: object, **kwargs: object) -> None:
        nonlocal call
        call = functools.partial(command, *args, **kwargs)

    complaint = io.StringIO()
    config = (tyro.conf.FlagCreatePairsOff, tyro.conf.DisallowNone, tyro.conf.HelptextFromCommentsOff)
    try:
        with contextlib.redirect_stderr(complaint):
            tyro.cli(parsed, prog=f"laban {name}", args=argv, config=config)
    except SystemExit as stop:
        if stop.code in (0, None):  # --help
            return 0
        raise InputError(f"{unbox(complaint.getvalue())} `laban {name} --help` lists the options.") from None
    assert call is not None
    return call()


def unbox(text: str) -> str:
    """tyro's complaint (a drawn box of several lines) as one line: up to its first rule, without the frame."""
    lines: list[str] = []
    for line in text.splitlines():
        line = line.strip(" │╭╮╰╯")
        if line.startswith("─"):
            if lines:
                break
            continue
        lines.append(line.strip())
    said = " ".join(line for line in lines if line)
    near = re.search(r"Perhaps you meant:[^-]*(--[\w-]+)", text)
    return said.rstrip(".") + "." + (f" Did you mean {near[1]}?" if near else "")


def overview(names: Sequence[str] = ()) -> str:
    """The text of `laban --help`, for all commands or for those named."""
    chosen = list(names) or list(COMMANDS)
    width = max(len(name) for name in chosen)
    rows = "\n".join(f"  {name:<{width}}  {COMMANDS[name][1]}" for name in chosen)
    return (
        "usage: laban COMMAND [options]\n\n"
        "Words and music become 3D human motion.\n\n"
        f"commands:\n{rows}\n\n"
        "`laban COMMAND --help` lists a command's options; `laban --version` prints the version.\n"
        'Try: laban generate "a person walks forward and turns left" --seconds 6 --out walk.glb'
    )
