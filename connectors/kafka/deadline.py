"""A bound for calls of a client library that do not keep their own time-out."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

log = structlog.get_logger()

EXIT_CODE = 70
_SLICES = 16


@contextmanager
def ends_process_after(seconds: float, call: str, leave: Callable[[int], object] = os._exit) -> Iterator[None]:
    """What runs inside returns in time, or the process ends at once with code 70 and is started afresh.

    Only for work that a killed process may leave behind at any moment, as an open transaction.
    """
    has_returned = threading.Event()

    def watch() -> None:
        # In slices: time in which the whole process stood still (SIGSTOP, a paused machine) counts as one of
        # them at most. Who wakes up from that has hung nowhere.
        if not any(has_returned.wait(seconds / _SLICES) for _ in range(_SLICES)):
            log.critical("call_never_returned", call=call, seconds=seconds, code=EXIT_CODE)
            leave(EXIT_CODE)

    threading.Thread(target=watch, name="deadline", daemon=True).start()
    try:
        yield
    finally:
        has_returned.set()
