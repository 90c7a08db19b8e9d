"""The questions that assembly asks about the slots of open requests, and the decisions it gets."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from schemas.ids import JobKey


class Verdict(StrEnum):
    """What a record means for its request: more is missing, it completes the request, or it comes too late."""

    WAITING = "WAITING"
    COMPLETE = "COMPLETE"
    ANSWERED = "ANSWERED"


@dataclass(frozen=True)
class RequestRevision:
    """The unit that is answered once: a request, or a later correction of its answer (`revision` above 1)."""

    key: JobKey
    revision: int = 1


@dataclass(frozen=True)
class Arrival:
    """A translated batch. `split` names the way the request was cut: batches of two splits are never mixed."""

    request: RequestRevision
    split: str
    batch_number: int
    batches: int
    payload: bytes
    coordinates: str


@dataclass(frozen=True)
class AnswerOrder:
    """An order to answer the request now, whatever is missing."""

    request: RequestRevision
    coordinates: str


class AnswerSource(NamedTuple):
    """A partition whose records lead to answers in the partition of the results with the same number."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition}"


Told = Mapping[AnswerSource, int]
"""For each source the offset in its partition of the results up to which callers are told of its answers."""


@dataclass(frozen=True)
class Completion:
    """A committed answer: the record that completed it, its status, and when it was made (ms since the epoch).

    `encoded` is the framed TranslationResult for callers; empty where none is to be shown.
    """

    coordinates: str
    status: str = ""
    at_ms: int = 0
    encoded: bytes = b""


@dataclass(frozen=True)
class SlotDecision:
    """The verdict on one entry, and the payloads of its slots where it is COMPLETE.

    For an arrival those of all slots of its split in order, for an order at most one.
    """

    verdict: Verdict
    slots: tuple[bytes, ...] = ()
