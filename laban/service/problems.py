"""What is wrong with a request, as RFC 9457 has it: a type, a title, a status, and a sentence for a person."""

from __future__ import annotations

from typing import Any

PROBLEMS: dict[str, tuple[int, str]] = {
    "malformed": (400, "The body is no JSON that can be read"),
    "unauthorized": (401, "A token is missing or wrong"),
    "forbidden": (403, "This page or host may not call"),
    "not-found": (404, "There is nothing of that name"),
    "not-allowed": (405, "The method is not allowed here"),
    "late": (408, "The body took too long to arrive"),
    "conflict": (409, "The request goes against what is there"),
    "expired": (410, "The result was kept for its time, and is gone"),
    "too-large": (413, "The body is too large"),
    "media-type": (415, "The body is of a type that cannot be used"),
    "range": (416, "The range lies outside the file"),
    "input": (422, "A value cannot be used"),
    "too-many": (429, "Too many jobs of yours wait"),
    "headers": (431, "The request's head is too large"),
    "internal": (500, "Something is wrong with the service"),
    "lost": (500, "The process that worked on the job ended"),
    "busy": (503, "The service takes no job now"),
    "timeout": (504, "The job took longer than the service allows"),
    "storage": (507, "There is no room for the upload"),
}
"""Code -> status and title; the type of a problem is urn:laban: and its code."""

OF_STATUS = {status: code for code, (status, _) in reversed(PROBLEMS.items())}
MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """A request that is answered with a problem.

    Args:
        code: of PROBLEMS.
        detail: a sentence: what was wrong, what was expected, what to do.
        retry: seconds after which to try again.
    """

    def __init__(self, code: str, detail: str, retry: float | None = None) -> None:
        super().__init__(detail)
        self.code, self.detail, self.retry = code, detail, retry

    @property
    def status(self) -> int:
        """Of HTTP."""
        return PROBLEMS[self.code][0]

    @property
    def headers(self) -> dict[str, str]:
        """Those that go with it."""
        found = {} if self.retry is None else {"Retry-After": str(max(1, round(self.retry)))}
        return found | ({"WWW-Authenticate": "Bearer"} if self.status == 401 else {})

    def record(self) -> dict[str, Any]:
        """The problem details object."""
        return problem(self.code, self.detail)


def problem(code: str, detail: str) -> dict[str, Any]:
    """A problem details object. Args: code: of PROBLEMS. detail: a sentence."""
    status, title = PROBLEMS[code]
    return {"type": f"urn:laban:{code}", "title": title, "status": status, "detail": detail}
