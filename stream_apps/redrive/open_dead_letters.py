"""What is remembered of a letter while all letters are read: everything but what was sent.

Which letters are open: those without a tombstone behind them. Pure: a fold over the topic.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from schemas.codec import Codec
from schemas.errors import DecodeError
from schemas.events import DeadLetter
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
    dead_letter_partition: int
    dead_letter_offset: int

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
_COPIED = tuple(
    name
    for name in DeadLetterSummary.__dataclass_fields__
    if name not in ("dead_letter_partition", "dead_letter_offset")
)


def summary_of(dead_letter: DeadLetter, record: InboundRecord) -> DeadLetterSummary:
    """The summary of the letter that the record holds."""
    fields: dict[str, Any] = {name: getattr(dead_letter, name) for name in _COPIED}
    shared = {name: sys.intern(fields[name]) for name in _SHARED if fields[name] is not None}
    return DeadLetterSummary(
        **fields | shared, dead_letter_partition=record.partition, dead_letter_offset=record.offset
    )


@dataclass
class OpenDeadLetters:
    """Takes in the records of translation.dead_letters, each partition in its order.

    Remembers wanted letters only, and of them no values. `unreadable` counts what is no letter.
    """

    codec: Codec
    is_wanted: Callable[[DeadLetterSummary], bool]
    unreadable: int = 0
    _open: dict[bytes, DeadLetterSummary] = field(default_factory=dict, init=False)

    def add(self, record: InboundRecord) -> None:
        """The next record of its partition."""
        key = record.key or b""
        # The newest record of a key is all that counts, as for compaction.
        self._open.pop(key, None)
        if record.value is None:
            return
        try:
            dead_letter = summary_of(self.codec.decode(record.value, DeadLetter), record)
        except DecodeError:
            self.unreadable += 1
            return
        if self.is_wanted(dead_letter):
            self._open[key] = dead_letter

    def oldest_first(self) -> list[DeadLetterSummary]:
        """All that are open and wanted."""
        return sorted(
            self._open.values(), key=lambda dead_letter: (dead_letter.failed_at, dead_letter.dead_letter_id)
        )


@dataclass(frozen=True, kw_only=True)
class DeadLetterFilter:
    """What is None, or empty, leaves that part open. Milliseconds since the epoch; `until_ms` is not included."""

    ids: Sequence[str] = ()
    stage: str | None = None
    cause: str | None = None
    tenant: str | None = None
    request: str | None = None
    topic: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    limit: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether nothing narrows it: every letter is meant."""
        return not any(getattr(self, part.name) for part in fields(self))

    def matches(self, dead_letter: DeadLetterSummary) -> bool:
        """Whether the letter is meant; `limit` counts later."""
        asked = (self.stage, self.cause, self.tenant, self.request, self.topic)
        found = (
            dead_letter.stage,
            dead_letter.cause,
            dead_letter.tenant,
            dead_letter.request_id,
            dead_letter.topic,
        )
        return (
            all(wanted in (None, own) for wanted, own in zip(asked, found, strict=True))
            and (not self.ids or dead_letter.dead_letter_id in self.ids)
            and (self.since_ms is None or self.since_ms <= dead_letter.failed_at)
            and (self.until_ms is None or dead_letter.failed_at < self.until_ms)
        )

    def chosen(self, dead_letters: Sequence[DeadLetterSummary]) -> list[DeadLetterSummary]:
        """The first of them that are meant, as many as the limit allows."""
        return [dead_letter for dead_letter in dead_letters if self.matches(dead_letter)][: self.limit]
