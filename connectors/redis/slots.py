"""The slots of open requests, and who answers each: what makes one request have one answer.

The record that fills the last slot, or an order that comes before it, becomes the request's *completer*.
It stays the completer when it is read again, because then its first transaction was aborted:

    killed before the script       nothing happened; the record is read again
    killed before the commit       the completer is read again, and wins again with the same slots
    killed before `finish`         its offset is committed; the slots stay until they expire, nobody may answer
    any other record, any time     has other coordinates: it never answers

The rule holds while Redis remembers. The state's epoch proves that it does; it is read behind every decision and
once more before the answers are committed (connectors/redis/state_epoch.py, docs/decisions/0008).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.redis.client import Call, Client, redis_errors, run_all, script
from connectors.redis.state_epoch import StateEpoch
from schemas.slots import AnswerOrder, Arrival, Completion, RequestRevision, SlotDecision, Verdict

_FINAL = " final"
DEADLINES_KEY = "deadlines"


@dataclass(frozen=True)
class SlotRetention:
    """Seconds. The marker must outlive the slots, else a late duplicate would find them complete."""

    slots_seconds: int
    done_seconds: int


class RedisSlots:
    """Slots in the state Redis. Both keys of a request lie in one cluster slot; corrections end in `:<revision>`.

    `asm:{key}`: `s<split>:<n>` -> payload, `#<split>` -> how many are filled.
    `done:{key}`: the completer; after `finish` with ` final` behind it, the status and the time of the answer.
    `deadlines`: loses the answered requests (connectors/redis/request_markers.py).
    """

    def __init__(self, client: Client, retention: SlotRetention, epoch: StateEpoch | None = None) -> None:
        """Take the client. Without an epoch a loss of the state goes unnoticed."""
        self._client = client
        self._retention = retention
        self._epoch = epoch

    def decide(self, entries: Sequence[Arrival | AnswerOrder]) -> list[SlotDecision]:
        calls = [self._call(entry) for entry in entries]
        if self._epoch is None:
            replies = run_all(self._client, calls)
        else:
            # Last: a loss between two of the calls must not go unseen.
            *replies, identity = run_all(self._client, [*calls, self._epoch.call()])
            self._epoch.check(identity)
        return [SlotDecision(Verdict(verdict.decode()), tuple(slots)) for verdict, *slots in replies]

    def confirm(self) -> None:
        if self._epoch is not None:
            self._epoch.confirm()

    def finish(self, completions: Mapping[RequestRevision, Completion]) -> None:
        if not completions:
            return
        with redis_errors(), self._client.pipeline(transaction=False) as pipeline:
            for request, done in completions.items():
                slots, marker = _keys(request)
                # In this order: a marker without slots must be final.
                pipeline.set(marker, _marker_of(done), ex=self._retention.done_seconds)
                pipeline.unlink(slots)
            pipeline.zrem(DEADLINES_KEY, *(str(request.key) for request in completions))
            pipeline.execute()

    def answered(self, requests: Sequence[RequestRevision]) -> list[bool]:
        return are_answered(self._client, requests)

    def reopen(self, requests: Sequence[RequestRevision]) -> None:
        with redis_errors(), self._client.pipeline(transaction=False) as pipeline:
            for request in requests:
                pipeline.unlink(*_keys(request))
            pipeline.execute()

    def _call(self, entry: Arrival | AnswerOrder) -> Call:
        keys, kept = _keys(entry.request), self._retention
        if isinstance(entry, AnswerOrder):
            return Call(script("claim_answer"), keys, (entry.coordinates, kept.done_seconds))
        slot = (entry.split, entry.batch_number, entry.batches)
        values = (entry.payload, entry.coordinates, kept.slots_seconds, kept.done_seconds)
        return Call(script("fill_slot"), keys, (*slot, *values))


def done_key(request: RequestRevision) -> str:
    """Name the key that holds the completer."""
    return f"done:{{{request.key}}}{_revision_suffix(request)}"


def slots_key(request: RequestRevision) -> str:
    """Name the hash of the slots."""
    return f"asm:{{{request.key}}}{_revision_suffix(request)}"


def filled_field(split: str) -> str:
    """Name the field of the hash that counts the filled slots of a split."""
    return f"#{split}"


def completion_of(marker: bytes | None) -> Completion | None:
    """Read the marker of a committed answer; None while there is none."""
    coordinates, is_final, rest = (marker or b"").decode().partition(_FINAL)
    if not is_final:
        return None
    status, _, at_ms = rest.strip().partition(" ")
    return Completion(coordinates, status, int(at_ms or 0))


def are_answered(client: Client, requests: Sequence[RequestRevision]) -> list[bool]:
    """Tell for each whether its marker is that of a committed answer. One round trip. Raises TransientError."""
    with redis_errors(), client.pipeline(transaction=False) as pipeline:
        for request in requests:
            pipeline.get(done_key(request))
        return [completion_of(marker) is not None for marker in pipeline.execute()]


def _keys(request: RequestRevision) -> tuple[str, str]:
    return slots_key(request), done_key(request)


def _marker_of(done: Completion) -> str:
    return f"{done.coordinates}{_FINAL} {done.status} {done.at_ms}"


def _revision_suffix(request: RequestRevision) -> str:
    return f":{request.revision}" if request.revision > 1 else ""
