"""Take one document at a time: the most urgent first, and now and then the one that waits at the other end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from connectors.kafka.group_reader import GroupReader
from schemas.records import InboundRecord

# Which reader is asked first, document by document: so no priority waits for ever, and Kafka hears of each member.
_FIRST = (0, 0, 1, 0, 0, 2)


@dataclass
class DocumentSource:
    """Reads one group for each priority; `readers` are ordered by urgency. `sleep` gets seconds."""

    readers: Sequence[GroupReader]
    idle_wait_seconds: float
    sleep: Callable[[float], object]
    _taken: int = field(default=0, init=False)

    def take(self) -> list[InboundRecord]:
        """Return one document, or none after a short wait. Raises TransientError or FatalError."""
        first = self.readers[_FIRST[self._taken % len(_FIRST)] % len(self.readers)]
        for reader in (first, *(one for one in self.readers if one is not first)):
            if found := reader.take(1, 0.0):
                self._taken += 1
                return found
        self.sleep(self.idle_wait_seconds)
        return []
