"""The commands of the command line: one module per word, one function per command.

A command calls one action of `laban.actions`, prints its result and returns the exit code. Its first parameter is the
action's options dataclass, whose fields `arguments.takes_options` makes into options with their help and bounds; its
docstring is the rest of the help. `laban.cli.COMMANDS` names it in one line. Nothing heavy (torch, numpy) is imported
before bad input was refused.

A new command, whole:

    @takes_options("source", defaults={"out": REQUIRED})
    def clean(options: CleanOptions, json: bool = False, quiet: bool = False) -> int:
        ...  # laban/commands/clean.py

    "clean": ("laban.commands.clean:clean", "feet that slide, ..."),    # in laban/cli.py
"""
