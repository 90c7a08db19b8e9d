"""The life of every process: settings, logs, health, signals, and one exit code for one kind of end."""

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
from schemas.errors import FATAL_EXIT_CODE, DragomanError

log = structlog.get_logger()

# From SIGTERM to the exit, at most. Whoever starts our processes kills them after this time and not before
# (docs/shutdown.md); what is then cut off is done again by others.
STOP_SECONDS = 30.0

S = TypeVar("S", bound=ProcessSettings)


class Shutdown:
    """Set by the first SIGTERM or SIGINT; loops ask `is_wanted` between two turns."""

    def __init__(self) -> None:
        self._wanted = threading.Event()

    def install(self) -> "Shutdown":
        """Listen to the signals from now on. Only from the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        return self

    def is_wanted(self) -> bool:
        """Tell whether the process should end."""
        return self._wanted.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep until the time is up or a signal comes; True when the process should end."""
        return self._wanted.wait(seconds)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._wanted.set()


@dataclass(frozen=True)
class Process:
    """What the life of a process offers to its work: where to show health, and when to stop."""

    health: Health
    server: HealthServer
    shutdown: Shutdown = field(default_factory=Shutdown)

    def started(self, **facts: object) -> None:
        """Log that everything is wired, with what is worth knowing about it."""
        log.info("process_started", health_port=self.server.port, **facts)


def run_process(name: str, settings_type: type[S], run: Callable[[S, Process], None]) -> NoReturn:
    """Build the settings, serve health, run until a signal, and exit.

    Exit code 0 after a stop in order; 70 after a DragomanError of `run`, which a fresh process may survive.
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
    except SystemExit as end:  # a library that ends the process itself, as Faust's worker does
        if end.code:
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
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process, instance=instance)
    # Libraries log through the standard library; their warnings matter, their chatter does not.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")


def now_ms() -> int:
    """Return the milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
