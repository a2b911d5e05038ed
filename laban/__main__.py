"""`python -m laban` is the same as `laban`."""

from laban.cli import entry

if __name__ == "__main__":
    entry()
