"""What a run keeps on disk beside the weights: resume states, locks, and the facts that must not change."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from laban import checkpoint
from laban.config import differences
from laban.errors import InputError, WeightsError
from laban.io.atomic import replacing

if TYPE_CHECKING:
    from laban.data.corpus import Corpus
    from laban.systems.base import System


def open_run(folder: Path, system: System, corpus: Corpus) -> None:
    """Write config.json and the statistics of a new run once, or check that those there are the same.

    Raises: InputError naming the first fields in which the configuration or the data differ.
    """
    try:
        (folder / "state").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be made ({error.strerror}); give another --out.") from None
    with locked(folder / "state" / "run.lock", wait=True):
        wanted = {**system.manifest(), "corpus": corpus.fingerprint}
        if not (folder / "config.json").exists():
            checkpoint.write_config(folder, wanted, system.stats)
            return
        found = checkpoint.read_config(folder)
        system.verify(found.get("facts") or {})
        same = ("system", "stages", "config", "corpus")
        changed = differences({k: found.get(k) for k in same}, json.loads(json.dumps({k: wanted[k] for k in same})))
        if not changed and found.get("stats_hash") != checkpoint.digest(system.stats):
            changed = ["statistics of the data"]
        if changed:
            raise InputError(
                f"{folder} holds a run with another configuration or other data ({'; '.join(changed[:4])}"
                f"{'; …' if len(changed) > 4 else ''}); use the same ones, or another --out."
            )


def close_stage(folder: Path, system: System, card: str) -> None:
    """Bring config.json up to date with what training found out (`describe`), and write the model card."""
    with locked(folder / "state" / "run.lock", wait=True):
        found = checkpoint.read_config(folder)
        known = {k: v for k, v in system.describe().items() if v is not None}
        facts = {**(found.get("facts") or {}), **known}
        if facts != found.get("facts"):
            checkpoint.write_config(folder, {**found, "facts": facts}, system.stats)
        checkpoint.write_card(folder, card)


@contextmanager
def locked(path: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold an exclusive lock file; it frees itself when the process dies.

    Raises: InputError if another process holds it and `wait` is False.
    """
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise InputError(
                f"{path.parent.parent}: another process is training stage {path.stem!r} here; "
                "wait for it, or give another --stage or --out."
            ) from None
        yield


class StageFiles:
    """The files of one stage in RUN/state: <stage>.pt to resume from, <stage>.json when it is finished."""

    def __init__(self, folder: Path, stage: str) -> None:
        self.stage = stage
        self.resume = folder / "state" / f"{stage}.pt"
        self.marker = folder / "state" / f"{stage}.json"
        self.lock = folder / "state" / f"{stage}.lock"

    def sweep(self) -> None:
        """Remove what a killed process was writing."""
        for path in self.resume.parent.glob(f".{self.stage}-*.pt"):
            path.unlink(missing_ok=True)

    def save(self, state: Mapping[str, Any]) -> None:
        """Write the resume state beside and rename it over the old one."""
        with replacing(self.resume) as beside:
            torch.save(dict(state), beside)

    def load(self) -> dict[str, Any] | None:
        """The resume state (CPU tensors), or None. WeightsError if it is damaged."""
        if not self.resume.exists():
            return None
        try:
            return torch.load(self.resume, map_location="cpu", weights_only=True)
        except Exception as error:  # the unpickler raises many kinds
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
            raise WeightsError(
                f"{self.resume}: damaged ({reason}); delete it to start stage {self.stage!r} again."
            ) from None

    def finish(self, facts: Mapping[str, Any]) -> None:
        """Mark the stage as finished."""
        with replacing(self.marker) as beside:
            beside.write_text(json.dumps(facts, indent=2) + "\n")

    def finished(self) -> dict[str, Any] | None:
        """What `finish` wrote, or None."""
        try:
            return json.loads(self.marker.read_text())
        except FileNotFoundError:
            return None
        except ValueError:
            raise WeightsError(f"{self.marker}: damaged; delete it to finish the stage again.") from None


def check_same(stage: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """InputError naming what changed since the state was saved.

    The number of steps of a schedule with milestones may change: the rate at a step does not depend on it.
    """
    a, b = json.loads(json.dumps(before)), json.loads(json.dumps(now))
    if a["schedule"].get("decay") == b["schedule"].get("decay") == "milestones":
        a["schedule"].pop("steps", None), b["schedule"].pop("steps", None)
    changed = differences(a, b)
    if changed:
        raise InputError(
            f"stage {stage!r} was started with other settings ({'; '.join(changed[:4])}); "
            "use the same ones, or another --out."
        )
