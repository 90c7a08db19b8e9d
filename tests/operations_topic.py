"""The topic of operations in memory: what workers and the autoscaler tell the reports."""

from schemas.codec import Codec
from schemas.errors import TransientError
from schemas.events import OperationEvent


class OperationsTopic:
    """Takes records, unless Kafka is away."""

    def __init__(self) -> None:
        self.events: list[OperationEvent] = []
        self.is_away = False

    def send(self, records, timeout_seconds=30.0):
        if self.is_away:
            raise TransientError("Kafka is away")
        self.events += [Codec().decode(record.value, OperationEvent) for record in records]

    def told(self):
        """Return state, begin and end of each event."""
        return [(event.state, event.since, event.at) for event in self.events]
