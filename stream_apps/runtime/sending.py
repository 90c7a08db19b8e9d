"""Send records to Kafka durably, and tell the reports what workers and the autoscaler do."""

from collections.abc import Sequence
from typing import Protocol

import structlog

from schemas.codec import Codec
from schemas.errors import DragomanError
from schemas.events import OperationEvent
from schemas.records import OutboundRecord
from schemas.topics import OPERATIONS

log = structlog.get_logger()

_TELL_SECONDS = 1.0


class RecordSender(Protocol):
    """Where records are sent (connectors.kafka.producer.DurableProducer)."""

    def send(self, records: Sequence[OutboundRecord], timeout_seconds: float = 30.0) -> None:
        """Store the records durably before returning. Raises TransientError."""


def tell_operations(events: Sequence[OperationEvent], sender: RecordSender, codec: Codec) -> bool:
    """Send the events, and return whether Kafka has stored them; a failure is logged. For cost, not for control.

    Blocks for a second at most.
    """
    records = [OutboundRecord(OPERATIONS, event.actor.encode(), codec.encode(event)) for event in events]
    try:
        sender.send(records, _TELL_SECONDS)
    except DragomanError as error:
        log.warning("operations_not_told", error=str(error), events=len(events))
        return False
    return True
