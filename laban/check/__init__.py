"""`laban check`: compares this installation with expected values.

Each kind is one module with one function that takes a path and returns a `Report`, or raises `CheckFailed`.
"""

from laban.check.compare import Report, Row

__all__ = ["Report", "Row"]
