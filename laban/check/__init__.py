"""`laban check`: compares this installation with expected values.

Each kind is one module with one function that takes a path and returns a `CheckReport`, or raises `CheckFailed`.
"""

from laban.check.compare import CheckReport, Comparison

__all__ = ["CheckReport", "Comparison"]
