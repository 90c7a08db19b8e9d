"""Keep up with compacted topics: read them to their end once, then take what a tail brings.

Costs nothing at rest: the records come with those of a topic that the process follows anyway.
"""

from collections.abc import Callable, Mapping, Sequence

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.partition_reader import read_spans
from connectors.kafka.settings import KafkaSettings
from schemas.errors import TransientError
from schemas.records import InboundRecord

_TAKE_RECORDS = 500


class CompactedTable:
    """Calls `add` with each committed record of the topics, those of a partition in order. For one thread.

    `is_complete` may be asked by any thread: it turns true once everything is in that was there at the start.
    """

    def __init__(
        self, settings: KafkaSettings, topics: Sequence[str], add: Callable[[InboundRecord], None]
    ) -> None:
        self._settings = settings
        self._topics = tuple(topics)
        self._add = add
        self._next: dict[tuple[str, int], int] = {}
        self.is_complete = False

    def load(self) -> None:
        """Read to the present end, unless that is done. Blocks. Raises TransientError or FatalError."""
        if not self.is_complete:
            self.catch_up()

    def catch_up(self) -> None:
        """Read what is new, up to the present end. Blocks. Raises TransientError or FatalError.

        For a process that asks now and then; one that follows the topics by a tail needs only `load`.
        """
        ends = KafkaAdmin(self._settings).spans(list(self._topics))
        if missing := set(self._topics) - {span.topic for span in ends}:
            raise TransientError(f"no topic {', '.join(sorted(missing))}; create it: dragoman topics create")
        spans = [span.without(self._next.get((span.topic, span.partition), 0)) for span in ends]
        for records in read_spans(self._settings, [span for span in spans if span.length], _TAKE_RECORDS):
            for record in records:
                self._add(record)
        self._next = {(span.topic, span.partition): span.end for span in spans}
        self.is_complete = True

    def next_offsets(self) -> Mapping[tuple[str, int], int]:
        """Return where a tail has to go on."""
        return dict(self._next)

    def follow(self, record: InboundRecord) -> bool:
        """Take a record of the tail in; return False for one of another topic."""
        if record.topic not in self._topics:
            return False
        self._next[record.topic, record.partition] = record.offset + 1
        self._add(record)
        return True
