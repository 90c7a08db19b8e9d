"""A bound for calls of a client library that do not keep their own time-out."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

log = structlog.get_logger()

EXIT_CODE = 70


@contextmanager
def ends_process_after(seconds: float, call: str, leave: Callable[[int], object] = os._exit) -> Iterator[None]:
    """What runs inside returns in time, or the process ends at once with code 70 and is started afresh.

    Only for work that a killed process may leave behind at any moment, as an open transaction.
    """

    def end() -> None:
        log.critical("call_never_returned", call=call, seconds=seconds, code=EXIT_CODE)
        leave(EXIT_CODE)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
