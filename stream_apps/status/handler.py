"""One job event: decoded, turned into facts, merged into the view of its job."""

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.redis.job_ledger import JobLedger
from connectors.telemetry import metrics
from schemas.codec import Codec
from schemas.messages import JobEvent
from schemas.records import InboundRecord, OutboundRecord
from stream_apps.status.facts import update_of


@dataclass(frozen=True)
class StatusHandler:
    """`handle` fits connectors.faust.guard.Step."""

    codec: Codec
    ledger: JobLedger

    async def handle(self, record: InboundRecord) -> Sequence[OutboundRecord]:
        """No outputs: the view is all. Raises PermanentError or TransientError."""
        event = self.codec.decode(record.value, JobEvent)
        await self.ledger.apply(update_of(event))
        metrics.JOB_EVENTS.labels(event.stage).inc()
        return []
