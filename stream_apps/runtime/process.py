"""Run one process of the platform, from its settings to its exit code.

Every main calls `run_process`, so every process takes the same steps:

1. Build the settings from the environment. Raises pydantic's ValidationError for an unknown or invalid one.
2. Configure logging: one JSON line per event, with the process and its instance in each.
3. Serve /health, /ready and /metrics. Nothing else is connected yet, and /ready says "starting".
4. Listen to SIGTERM and SIGINT, then call `run`. It blocks until a signal or a failure, and logs
   `process_started` once everything is wired.
5. Close the health server, log `process_stopped` or `process_failed`, and exit:
   0 after a signal, 70 after a DragomanError, 1 after anything else (a defect: Python prints its traceback).
"""

import gc
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import NoReturn, TypeVar

import structlog

from connectors.settings import ProcessSettings
from connectors.telemetry.health import Health, HealthServer, serve_health
from connectors.telemetry.log_fields import from_process, name_request
from schemas.errors import FATAL_EXIT_CODE, DragomanError

log = structlog.get_logger()

# The longest time from SIGTERM to the exit. Whoever starts our processes kills them after it and not before
# (docs/shutdown.md); work that is cut off then is done again by another process.
STOP_SECONDS = 30.0

# Messages are trees, so their count frees them; the collector looks for the few cycles of libraries. Python's
# first threshold, 700, makes it look at every living message of a take again and again.
_COLLECTOR_THRESHOLDS = (20_000, 20, 50)

S = TypeVar("S", bound=ProcessSettings)


class Shutdown:
    """The wish to stop: set by the first SIGTERM or SIGINT, asked for by loops between two turns. Thread-safe."""

    def __init__(self) -> None:
        self._wanted = threading.Event()

    def install(self) -> "Shutdown":
        """Listen to both signals from now on, and return self. Raises ValueError outside the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        return self

    def is_wanted(self) -> bool:
        """Return whether the process should stop. Never blocks."""
        return self._wanted.is_set()

    def wait(self, seconds: float) -> bool:
        """Block until the time is up or a signal comes, and return whether the process should stop."""
        return self._wanted.wait(seconds)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._wanted.set()


@dataclass(frozen=True)
class Process:
    """What `run_process` offers to `run`: where to report health, and when to stop. It closes the server."""

    health: Health
    server: HealthServer
    shutdown: Shutdown = field(default_factory=Shutdown)

    def started(self, **facts: object) -> None:
        """Log `process_started`, with the health port and the given facts. Call it once everything is wired.

        The garbage collector leaves what is there by then alone: it lives as long as the process.
        """
        gc.set_threshold(*_COLLECTOR_THRESHOLDS)
        gc.freeze()
        log.info("process_started", health_port=self.server.port, **facts)


def run_process(name: str, settings_type: type[S], run: Callable[[S, Process], None]) -> NoReturn:
    """Take the steps above in the main thread. Blocks until `run` returns or raises; always ends the process.

    `run` may also end with SystemExit, as libraries do that handle signals themselves (Faust, uvicorn): code 0
    counts as a return, any other code is kept.
    """
    settings = settings_type()
    configure_logging(name, settings.instance, settings.log_level)
    health = Health(settings.silence_seconds)
    server = serve_health(health, settings.health_port, settings.health_host)
    try:
        run(settings, Process(health, server, Shutdown().install()))
    except DragomanError as error:
        log.critical("process_failed", error=str(error), code=FATAL_EXIT_CODE)
        sys.exit(FATAL_EXIT_CODE)
    except SystemExit as end:
        if end.code:
            log.critical("process_failed", error="a library ended the process", code=end.code)
            raise
    finally:
        server.close()
    log.info("process_stopped")
    sys.exit(0)


def configure_logging(process: str, instance: str, level: str = "INFO") -> None:
    """Write one JSON line per event to standard error, with the process and its instance in each.

    An event has a constant name and its data as fields; never the text of a request.
    """
    structlog.configure(
        processors=[
            from_process(process, instance),
            structlog.contextvars.merge_contextvars,
            name_request,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Libraries log through the standard library. Only their warnings matter.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")


def now_ms() -> int:
    """Return the milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
