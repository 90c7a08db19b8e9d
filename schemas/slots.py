"""What assembly asks of the slots of open requests, and what they decide."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What a record means for its request."""

    WAITING = "WAITING"
    COMPLETE = "COMPLETE"
    ANSWERED = "ANSWERED"


@dataclass(frozen=True)
class RequestRevision:
    """What is answered once: a request, or a later correction of its answer (`revision` above 1)."""

    request_id: str
    revision: int = 1


@dataclass(frozen=True)
class Arrival:
    """A translated batch. `split` names the way the request was cut: batches of two ways are never mixed."""

    request_revision: RequestRevision
    split: str
    batch_number: int
    batches: int
    payload: bytes
    coordinates: str


@dataclass(frozen=True)
class AnswerOrder:
    """An order to answer the request now, whatever is missing."""

    request_revision: RequestRevision
    coordinates: str


@dataclass(frozen=True)
class SlotDecision:
    """`slots`: all of an arrival's split in order, or at most any one for a claim; empty unless COMPLETE."""

    verdict: Verdict
    slots: tuple[bytes, ...] = ()
