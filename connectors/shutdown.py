"""SIGTERM and SIGINT ask a process to finish what it has in hand and leave."""

import signal
import threading
from types import FrameType

# From SIGTERM to the exit, at most. Whoever starts our processes kills them after this time and not before
# (docs/shutdown.md); what is then cut off is done again by others.
STOP_SECONDS = 30.0


class Shutdown:
    """Set by the first signal; loops ask `is_wanted` between two cycles."""

    def __init__(self) -> None:
        self._wanted = threading.Event()

    def install(self) -> "Shutdown":
        """From now on the signals set it. Only from the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        return self

    def is_wanted(self) -> bool:
        """Whether the process should end."""
        return self._wanted.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep that a signal cuts short; True when the process should end."""
        return self._wanted.wait(seconds)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._wanted.set()
