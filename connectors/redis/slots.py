"""The slots of open requests, and who answers each: what makes one request have one answer.

The record that fills the last slot, or an order that comes before it, becomes the request's *completer*.
It stays the completer when it is read again, because then its first transaction was aborted:

    killed before the script       nothing happened; the record is read again
    killed before the commit       the completer is read again, and wins again with the same slots
    killed before `finish`         its offset is committed; the slots stay until they expire, nobody may answer
    any other record, any time     has other coordinates: it never answers

The rule holds while Redis remembers. That it does is vouched for by the state's epoch, which is read behind every
decision and once more before the answers are committed (connectors/redis/state_epoch.py, docs/decisions/0008).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from connectors.redis.client import Client, redis_errors
from connectors.redis.scripts import Call, run_all, script
from connectors.redis.state_epoch import StateEpoch

_FINAL = " final"


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

    subject: RequestRevision
    split: str
    batch_number: int
    batches: int
    payload: bytes
    coordinates: str


@dataclass(frozen=True)
class AnswerOrder:
    """An order to answer the request now, whatever is missing."""

    subject: RequestRevision
    coordinates: str


@dataclass(frozen=True)
class SlotDecision:
    """`slots`: all of an arrival's split in order, or at most any one for a claim; empty unless COMPLETE."""

    verdict: Verdict
    slots: tuple[bytes, ...] = ()


class Slots(Protocol):
    """Every call may be repeated. Raises TransientError."""

    def decide(self, entries: Sequence[Arrival | AnswerOrder]) -> list[SlotDecision]:
        """One decision per entry; they take effect in their order."""

    def confirm(self) -> None:
        """Raises TransientError when decisions made before this call may have been made on a lost state."""

    def finish(self, completers: Mapping[RequestRevision, str]) -> None:
        """These answers (subject -> coordinates) are committed: nothing wins any more, slots may go."""

    def answered(self, subjects: Sequence[RequestRevision]) -> list[bool]:
        """Whether `finish` was called for each."""

    def reopen(self, subjects: Sequence[RequestRevision]) -> None:
        """Forget slots and completers, so that the subjects can be answered anew.

        Only while no assembler runs: one under way would answer a second time.
        """


@dataclass(frozen=True)
class SlotRetention:
    """Seconds. The marker must outlive the slots, else a late duplicate would find them complete."""

    slots_seconds: int
    done_seconds: int


class RedisSlots:
    """In the state Redis. Both keys of a subject lie in one cluster slot; later revisions end in `:<revision>`.

    `asm:{id}`: `s<split>:<n>` -> payload, `#<split>` -> how many are filled.
    `done:{id}`: the completer, with ` final` behind it after `finish`.
    """

    def __init__(self, client: Client, retention: SlotRetention, epoch: StateEpoch | None = None) -> None:
        """Without an epoch nobody notices a loss."""
        self._client = client
        self._retention = retention
        self._epoch = epoch

    def decide(self, entries: Sequence[Arrival | AnswerOrder]) -> list[SlotDecision]:
        calls = [self._call(entry) for entry in entries]
        if self._epoch is None:
            replies = run_all(self._client, calls)
        else:
            # Last: a loss between two of the calls must not go unseen.
            *replies, witness = run_all(self._client, [*calls, self._epoch.call()])
            self._epoch.check(witness)
        return [SlotDecision(Verdict(verdict.decode()), tuple(slots)) for verdict, *slots in replies]

    def confirm(self) -> None:
        if self._epoch is not None:
            self._epoch.confirm()

    def finish(self, completers: Mapping[RequestRevision, str]) -> None:
        with redis_errors(), self._client.pipeline(transaction=False) as pipeline:
            for subject, coordinates in completers.items():
                slots, done = _keys(subject)
                # In this order: a marker without slots must be final.
                pipeline.set(done, coordinates + _FINAL, ex=self._retention.done_seconds)
                pipeline.unlink(slots)
            pipeline.execute()

    def answered(self, subjects: Sequence[RequestRevision]) -> list[bool]:
        return are_answered(self._client, subjects)

    def reopen(self, subjects: Sequence[RequestRevision]) -> None:
        with redis_errors(), self._client.pipeline(transaction=False) as pipeline:
            for subject in subjects:
                pipeline.unlink(*_keys(subject))
            pipeline.execute()

    def _call(self, entry: Arrival | AnswerOrder) -> Call:
        keys, kept = _keys(entry.subject), self._retention
        if isinstance(entry, AnswerOrder):
            return Call(script("claim_answer"), keys, (entry.coordinates, kept.done_seconds))
        place = (entry.split, entry.batch_number, entry.batches)
        values = (entry.payload, entry.coordinates, kept.slots_seconds, kept.done_seconds)
        return Call(script("fill_slot"), keys, (*place, *values))


class InMemorySlots:
    """For tests and for a single process; remembers until it ends."""

    def __init__(self) -> None:
        self._slots: dict[RequestRevision, dict[tuple[str, int], bytes]] = {}
        self._completers: dict[RequestRevision, str] = {}

    def decide(self, entries: Sequence[Arrival | AnswerOrder]) -> list[SlotDecision]:
        return [self._decide(entry) for entry in entries]

    def confirm(self) -> None:
        """It cannot be lost while the process lives."""

    def finish(self, completers: Mapping[RequestRevision, str]) -> None:
        for subject, coordinates in completers.items():
            self._completers[subject] = coordinates + _FINAL
            self._slots.pop(subject, None)

    def answered(self, subjects: Sequence[RequestRevision]) -> list[bool]:
        return [self._completers.get(subject, "").endswith(_FINAL) for subject in subjects]

    def reopen(self, subjects: Sequence[RequestRevision]) -> None:
        for subject in subjects:
            self._completers.pop(subject, None)
            self._slots.pop(subject, None)

    def _decide(self, entry: Arrival | AnswerOrder) -> SlotDecision:
        if self._completers.get(entry.subject, entry.coordinates) != entry.coordinates:
            return SlotDecision(Verdict.ANSWERED)
        slots = self._slots.setdefault(entry.subject, {})
        if isinstance(entry, AnswerOrder):
            self._completers[entry.subject] = entry.coordinates
            return SlotDecision(Verdict.COMPLETE, tuple(slots.values())[:1])
        slots.setdefault((entry.split, entry.batch_number), entry.payload)
        # A count first: `batches` may be any number that somebody wrote.
        if sum(split == entry.split for split, _ in slots) < entry.batches:
            return SlotDecision(Verdict.WAITING)
        payloads = tuple(slots[entry.split, number] for number in range(entry.batches))
        self._completers[entry.subject] = entry.coordinates
        return SlotDecision(Verdict.COMPLETE, payloads)


def done_key(subject: RequestRevision) -> str:
    """Where the completer stands."""
    return f"done:{{{subject.request_id}}}{_behind(subject)}"


def are_answered(client: Client, subjects: Sequence[RequestRevision]) -> list[bool]:
    """Whether what stands at each marker belongs to a committed answer. One round trip. Raises TransientError."""
    with redis_errors(), client.pipeline(transaction=False) as pipeline:
        for subject in subjects:
            pipeline.get(done_key(subject))
        return [marker is not None and marker.endswith(_FINAL.encode()) for marker in pipeline.execute()]


def _keys(subject: RequestRevision) -> tuple[str, str]:
    return f"asm:{{{subject.request_id}}}{_behind(subject)}", done_key(subject)


def _behind(subject: RequestRevision) -> str:
    return f":{subject.revision}" if subject.revision > 1 else ""
