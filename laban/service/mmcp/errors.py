"""The protocol's errors: one envelope, a closed list of codes."""

from __future__ import annotations

from typing import Any

from laban.errors import LabanError
from laban.service.problems import Problem

STATUS = {
    "schema_validation": 422, "unknown_model": 400, "retargeting_unsupported": 400, "unsupported_constraint": 400,
    "unsupported_segment": 400, "unknown_joint": 400, "invalid_skeleton": 400, "frame_out_of_range": 400,
    "invalid_options": 400, "invalid_request": 400, "version_unsupported": 400, "unauthorized": 401, "forbidden": 403,
    "payload_too_large": 413, "rate_limited": 429, "internal_error": 500, "resource_exhausted": 503,
    "model_unavailable": 503, "timeout": 504,
}  # fmt: skip
"""Code -> status of HTTP."""

OF_PROBLEM = {
    "malformed": "schema_validation", "unauthorized": "unauthorized", "forbidden": "forbidden",
    "too-large": "payload_too_large", "too-many": "rate_limited", "busy": "resource_exhausted", "timeout": "timeout",
    "internal": "internal_error", "lost": "internal_error",
}  # fmt: skip
"""Our problems as the protocol calls them; others are invalid_request, with their own status."""


class Refused(LabanError):
    """A request that the protocol refuses.

    Args:
        code: of STATUS.
        message: a sentence.
        details: what a program may want to know.
    """

    def __init__(self, code: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.code, self.details = code, details

    @property
    def status(self) -> int:
        """Of HTTP."""
        return STATUS[self.code]

    def record(self) -> dict[str, Any]:
        """The envelope."""
        return envelope(self.code, str(self), self.details)


def envelope(code: str, message: str, details: dict[str, Any] | None = None) -> dict[str, Any]:
    """The protocol's error object."""
    return {"error": {"code": code, "message": message, "details": details or {}}}


def of_problem(problem: Problem) -> tuple[int, dict[str, Any]]:
    """A problem as status and envelope."""
    code = OF_PROBLEM.get(problem.code, "invalid_request")
    status = STATUS[code] if problem.code in OF_PROBLEM else problem.status
    return status, envelope(code, problem.detail)


def of_job(error: dict[str, Any]) -> Refused:
    """The error of a job that failed."""
    code = error.get("code") or OF_PROBLEM.get(str(error["type"]).rpartition(":")[2], "invalid_request")
    return Refused(code, error["detail"])
