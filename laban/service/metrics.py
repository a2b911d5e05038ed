"""What Prometheus may scrape; no word of a user is in a label."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


class Metrics:
    """The counters of one service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own, times = self.registry, SECONDS
        self.jobs = Counter("laban_jobs", "Jobs by what became of them.", ("kind", "state"), registry=own)
        self.job_seconds = Histogram("laban_job_seconds", "Time that jobs ran.", ("kind",), buckets=times, registry=own)
        self.queue_length = Gauge("laban_queue_length", "Jobs that wait.", registry=own)
        self.queue_wait = Histogram("laban_queue_wait_seconds", "Time that jobs waited.", buckets=times, registry=own)
        self.workers = Gauge("laban_workers", "Worker processes by state.", ("state",), registry=own)
        self.restarts = Counter("laban_worker_restarts", "Worker processes that were replaced.", registry=own)
        self.http = Counter("laban_http_requests", "Requests by route and status.", ("route", "code"), registry=own)

    def text(self) -> bytes:
        """All of them, in Prometheus' text format."""
        return generate_latest(self.registry)
