"""What a person sees on stderr while a stage trains, and how a signal asks it to stop."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any

from tqdm import tqdm


class Progress:
    """A bar with the loss and the time left; silent when `quiet`."""

    def __init__(self, stage: str, step: int, steps: int, quiet: bool) -> None:
        often = 0.5 if sys.stderr.isatty() else 30.0  # a log file wants fewer lines
        self._bar = tqdm(
            total=steps, initial=step, desc=stage, unit="step", file=sys.stderr, disable=quiet,
            mininterval=often, dynamic_ncols=True,
        )  # fmt: skip
        self._shown: dict[str, str] = {}

    def advance(self) -> None:
        """One more step is done."""
        self._bar.update(1)

    def show(self, **values: float) -> None:
        """Put numbers behind the bar."""
        self._shown.update({k: f"{v:.4g}" for k, v in values.items()})
        self._bar.set_postfix(self._shown, refresh=False)

    def say(self, line: str) -> None:
        """A line of its own above the bar."""
        if not self._bar.disable:
            self._bar.write(line, file=sys.stderr)

    def close(self) -> None:
        """Leave the bar as it stands."""
        self._bar.close()


class StopSignal:
    """Within the block SIGINT and SIGTERM set `wanted`; a second SIGINT interrupts at once."""

    def __init__(self) -> None:
        self.wanted = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopSignal:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.wanted and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.wanted = True
