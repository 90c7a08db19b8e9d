"""The status projection: decodes each job event, turns it into facts and merges them into the view of its job."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from connectors.faust.settings import FaustSettings
from connectors.kafka.schema_registry import open_codec
from connectors.kafka.settings import KafkaSettings
from connectors.redis.client import open_state_async
from connectors.redis.job_ledger import JobLedger, LedgerTimes
from connectors.redis.settings import RedisSettings
from connectors.settings import ProcessSettings, Section
from connectors.telemetry import metrics
from schemas.codec import Codec
from schemas.events import JobEvent
from schemas.records import InboundRecord, OutboundRecord
from schemas.topics import STATUS
from stream_apps.runtime.dead_letters import DeadLetterSettings, open_dead_letters
from stream_apps.runtime.event_process import EventProcess, GroupMember
from stream_apps.runtime.event_processor import EventHandler
from stream_apps.runtime.process import Process, run_process
from stream_apps.status.facts import update_of

GROUP = "status"
_HOUR_SECONDS = 60 * 60


class StatusLimits(Section):
    """DRAGOMAN_STATUS_*."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_STATUS_", frozen=True, extra="forbid")

    view_ttl_hours: float = Field(default=96.0, gt=0, description="How long a job is shown after its last event.")
    queue_ttl_hours: float = Field(
        default=96.0, gt=0, description="How long a job counts as waiting: the batches' retention plus a day."
    )

    @property
    def times(self) -> LedgerTimes:
        """Return both times in seconds."""
        return LedgerTimes(round(self.view_ttl_hours * _HOUR_SECONDS), round(self.queue_ttl_hours * _HOUR_SECONDS))


class StatusFaustSettings(FaustSettings):
    """DRAGOMAN_FAUST_*, for a topic of many small records: a small buffer makes Faust wait between fetches."""

    buffered_records: int = Field(default=4096, ge=2, description="Prefetched; more waits in Kafka.")


class StatusSettings(ProcessSettings):
    """The whole configuration of the projection."""

    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    redis: RedisSettings = Field(default_factory=RedisSettings)
    dead_letters: DeadLetterSettings = Field(default_factory=DeadLetterSettings)
    faust: StatusFaustSettings = Field(default_factory=StatusFaustSettings)
    status: StatusLimits = Field(default_factory=StatusLimits)


@dataclass(frozen=True)
class StatusHandler:
    """Merges one event; `handle` is a handler of stream_apps.runtime.event_processor.EventHandler."""

    codec: Codec
    ledger: JobLedger

    async def handle(self, record: InboundRecord) -> Sequence[OutboundRecord]:
        """Merge the event; there are no outputs. Raises PermanentError or TransientError."""
        event = self.codec.decode(record.value, JobEvent)
        await self.ledger.apply(update_of(event))
        metrics.JOB_EVENTS.labels(event.stage).inc()
        return []


def main() -> None:
    """Run the projection until SIGTERM."""
    run_process(GROUP, StatusSettings, run)


def run(settings: StatusSettings, process: Process) -> None:
    """Merge every job event into the view of its job."""
    codec = open_codec(settings.kafka)
    handler = StatusHandler(codec, JobLedger(open_state_async(settings.redis), settings.status.times))
    dead_letters = open_dead_letters(GROUP, codec, settings.dead_letters, settings.kafka.max_message_bytes)
    events = EventProcess(GroupMember(GROUP, settings.instance), settings.kafka, settings.faust, process.health)
    events.consume([STATUS], EventHandler(dead_letters, handler.handle))
    process.started()
    events.run()


if __name__ == "__main__":
    main()
