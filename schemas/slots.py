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
    `erased_at` is when its text was erased (ms); None for an ordinary answer.
    """

    coordinates: str
    status: str = ""
    at_ms: int = 0
    encoded: bytes = b""
    erased_at: int | None = None


@dataclass(frozen=True)
class ErasureOrder:
    """An order to erase all texts of a request, whether it is answered or not."""

    key: JobKey
    coordinates: str


@dataclass(frozen=True)
class ErasureDecision:
    """What is to be done about an order to erase.

    ANSWERED: nothing, another order has erased the request. COMPLETE: it is this order's, and no later answer
    counts. `answered` is the newest answer that is known to be committed. `is_settled`: no other one is committed
    or under way. `noted_at` (ms) is when the request was planned; 0 for one of which nothing is known (any more).
    `slot` is any filled slot of an open request.
    """

    verdict: Verdict
    answered: Completion | None = None
    version: int = 0
    is_settled: bool = False
    noted_at: int = 0
    slot: bytes | None = None


@dataclass(frozen=True)
class SlotDecision:
    """The verdict on one entry, and the payloads of its slots where it is COMPLETE.

    For an arrival those of all slots of its split in order, for an order at most one.
    """

    verdict: Verdict
    slots: tuple[bytes, ...] = ()
