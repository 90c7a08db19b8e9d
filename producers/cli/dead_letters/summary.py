"""What is remembered of a letter while all letters are read: everything but what was sent."""

import sys
from dataclasses import dataclass
from typing import Any

from schemas.messages import DeadLetter
from schemas.records import InboundRecord


@dataclass(frozen=True, slots=True)
class DeadLetterSummary:
    """A letter in a few hundred bytes. `letter_partition` and `letter_offset`: where it lies itself."""

    dead_letter_id: str
    stage: str
    cause: str
    attempt: int
    tenant: str | None
    request_id: str | None
    batch_number: int | None
    segment: int | None
    topic: str
    partition: int
    offset: int
    failed_at: int
    letter_partition: int
    letter_offset: int

    @property
    def is_sentence(self) -> bool:
        """Whether it speaks of one sentence of a batch that was answered otherwise."""
        return self.segment is not None

    @property
    def place(self) -> str:
        """`topic-partition-offset` of what failed."""
        return f"{self.topic}-{self.partition}-{self.offset}"


# Few distinct values in many letters.
_SHARED = ("stage", "cause", "tenant", "topic")
_COPIED = tuple(name for name in DeadLetterSummary.__dataclass_fields__ if not name.startswith("letter_"))


def summary_of(letter: DeadLetter, record: InboundRecord) -> DeadLetterSummary:
    """The summary of the letter that the record holds."""
    fields: dict[str, Any] = {name: getattr(letter, name) for name in _COPIED}
    shared = {name: sys.intern(fields[name]) for name in _SHARED if fields[name] is not None}
    return DeadLetterSummary(**fields | shared, letter_partition=record.partition, letter_offset=record.offset)
