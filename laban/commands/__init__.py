"""The commands of the command line: one module per word, one function per command.

A command is a function that tyro can read: its arguments are the options, its docstring is the help, and it
returns the exit code. `laban.cli.COMMANDS` names it by one explicit line. A command imports what is heavy
(torch, numpy) inside the function, so that bad input is refused before anything is loaded.
"""
