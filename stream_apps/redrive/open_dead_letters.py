"""Find the open dead letters, and select those that somebody means. Pure.

A dead letter is open until a tombstone follows it: a fold over the topic. While the whole topic is read, all of a
dead letter is remembered except what was sent.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from schemas.codec import Codec
from schemas.errors import DecodeError
from schemas.events import DeadLetter
from schemas.ids import JobKey
from schemas.records import InboundRecord

Place = tuple[int, str]


@dataclass(frozen=True, slots=True)
class DeadLetterSummary:
    """A dead letter in a few hundred bytes.

    `topic`, `partition` and `offset` locate what failed, `dead_letter_partition` and `dead_letter_offset` the
    dead letter itself.
    """

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
    def place(self) -> Place:
        """Return its place in the order of time, which no other one has."""
        return self.failed_at, self.dead_letter_id

    @property
    def is_sentence(self) -> bool:
        """Say whether it is about one sentence of a batch of which the rest was answered."""
        return self.segment is not None

    @property
    def job_key(self) -> JobKey | None:
        """Return the request that it is about; None where that is not known."""
        return JobKey(self.tenant or "", self.request_id) if self.request_id is not None else None

    @property
    def coordinates(self) -> str:
        """Return `topic-partition-offset` of what failed."""
        return f"{self.topic}-{self.partition}-{self.offset}"


# Few distinct values in many dead letters.
_SHARED = ("stage", "cause", "tenant", "topic")
_COPIED = tuple(
    name
    for name in DeadLetterSummary.__dataclass_fields__
    if name not in ("dead_letter_partition", "dead_letter_offset")
)


def _place(one: DeadLetterSummary) -> Place:
    return one.place


def summary_of(dead_letter: DeadLetter, record: InboundRecord) -> DeadLetterSummary:
    """Return the summary of the dead letter that the record holds."""
    copied: dict[str, Any] = {name: getattr(dead_letter, name) for name in _COPIED}
    shared = {name: sys.intern(copied[name]) for name in _SHARED if copied[name] is not None}
    return DeadLetterSummary(
        **copied | shared, dead_letter_partition=record.partition, dead_letter_offset=record.offset
    )


@dataclass
class OpenDeadLetters:
    """Takes in the records of translation.dead_letters, each partition in its order.

    Remembers wanted dead letters only, without their values: of more than twice `most` the oldest `most`.
    `forgotten` is the place of the oldest one that was forgotten. `unreadable` counts records that are no dead
    letter.
    """

    codec: Codec
    is_wanted: Callable[[DeadLetterSummary], bool]
    most: int | None = None
    forgotten: Place | None = field(default=None, init=False)
    unreadable: int = 0
    _open: dict[bytes, DeadLetterSummary] = field(default_factory=dict, init=False)

    def add(self, record: InboundRecord) -> None:
        """Take in the next record of its partition."""
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
            self._forget_newest()

    def oldest_first(self) -> list[DeadLetterSummary]:
        """Return all that are open and wanted, up to the place from which some are forgotten."""
        known = sorted(self._open.values(), key=_place)
        return [one for one in known if self.forgotten is None or one.place < self.forgotten]

    def _forget_newest(self) -> None:
        if self.most is None or len(self._open) <= 2 * self.most:
            return
        oldest = sorted(self._open.items(), key=lambda one: one[1].place)
        first_forgotten = oldest[self.most][1].place
        self.forgotten = min(first_forgotten, self.forgotten or first_forgotten)
        self._open = dict(oldest[: self.most])


@dataclass(frozen=True, kw_only=True)
class DeadLetterFilter:
    """Which dead letters are meant; a part that is None or empty does not narrow.

    Times are milliseconds since the epoch; `until_ms` itself is excluded.
    """

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
    def means_all(self) -> bool:
        """Say whether nothing narrows it, so that every open dead letter is meant."""
        return not any(getattr(self, part.name) for part in fields(self))

    def matches(self, one: DeadLetterSummary) -> bool:
        """Say whether the dead letter is meant; `limit` is applied by `select`."""
        wanted = (self.stage, self.cause, self.tenant, self.request, self.topic)
        found = (one.stage, one.cause, one.tenant, one.request_id, one.topic)
        return (
            all(value in (None, own) for value, own in zip(wanted, found, strict=True))
            and (not self.ids or one.dead_letter_id in self.ids)
            and (self.since_ms is None or self.since_ms <= one.failed_at)
            and (self.until_ms is None or one.failed_at < self.until_ms)
        )

    def may_share_job(self, one: DeadLetterSummary) -> bool:
        """Say whether the dead letter may be of a job of which one is meant."""
        return self.tenant in (None, one.tenant) and self.request in (None, one.request_id)

    def select(self, dead_letters: Sequence[DeadLetterSummary]) -> list[DeadLetterSummary]:
        """Return the first of them that match, as many as the limit allows."""
        return [one for one in dead_letters if self.matches(one)][: self.limit]
