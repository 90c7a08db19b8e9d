"""Wires the status projection: settings -> Faust, Redis."""

import structlog

from connectors.dead_letters.writer import open_dead_letters
from connectors.faust.guard import EventHandler
from connectors.faust.process import FaustProcess, GroupMember
from connectors.kafka.schema_registry import open_codec
from connectors.redis.client import open_state_async
from connectors.redis.job_ledger import JobLedger
from connectors.telemetry.health import serve_health
from connectors.telemetry.logging import configure_logging
from schemas.errors import FatalError
from schemas.topics import STATUS
from stream_apps.status.handler import StatusHandler
from stream_apps.status.settings import StatusSettings

log = structlog.get_logger()

GROUP = "status"


def build_process(settings: StatusSettings) -> FaustProcess:
    """The application, not yet connected."""
    process = FaustProcess(GroupMember(GROUP, settings.instance), settings.kafka, settings.faust)
    codec = open_codec(settings.kafka)
    handler = StatusHandler(codec, JobLedger(open_state_async(settings.redis), settings.status.times))
    letters = open_dead_letters(GROUP, codec, settings.dead_letters, settings.kafka.max_message_bytes)
    process.consume([STATUS], EventHandler(letters, handler.handle))
    return process


def main() -> None:
    """Exit code 1 after a failure that a fresh process may survive."""
    settings = StatusSettings()
    configure_logging(GROUP, settings.instance, settings.log_level)
    process = build_process(settings)
    server = serve_health(process.health, settings.health_port, settings.health_host)
    log.info("started", health_port=server.port)
    try:
        process.run()
    except FatalError as error:
        log.critical("fatal", error=str(error))
        raise SystemExit(1) from error
    finally:
        server.close()
