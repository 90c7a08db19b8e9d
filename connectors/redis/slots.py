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

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, islice
from types import MappingProxyType
from typing import Any, cast

from connectors.redis.client import Argument, Call, Client, redis_errors, run_all, script
from connectors.redis.state_epoch import TOLD_KEY, StateEpoch
from schemas.ids import JobKey
from schemas.slots import (
    AnswerOrder,
    AnswerSource,
    Arrival,
    Completion,
    RequestRevision,
    SlotDecision,
    Told,
    Verdict,
)

_FINAL = " final"
DEADLINES_KEY = "deadlines"
_DAY_SECONDS = 24 * 60 * 60
# Answers of one call: Redis does nothing else meanwhile.
_AT_ONCE = 64


@dataclass(frozen=True)
class SlotRetention:
    """Seconds. The marker must outlive the slots, else a late duplicate would find them complete."""

    slots_seconds: int
    done_seconds: int
    result_seconds: int = _DAY_SECONDS


class RedisSlots:
    """Slots and answers in the state Redis. Corrections end in `:<revision>`.

    `asm:{key}`: `s<split>:<n>` -> payload, `#<split>` -> how many are filled.
    `done:{key}`: the completer; after `finish` with ` final` behind it, the status and the time of the answer.
    A request of one batch has no slots: its first record is the completer.
    `result:{key}`: the encoded answer for callers, for a limited time; the results topic remains the record.
    `deadlines`: open requests by deadline (connectors/redis/request_markers.py); loses the answered ones.
    """

    def __init__(self, client: Client, retention: SlotRetention, epoch: StateEpoch | None = None) -> None:
        """Take the client. Without an epoch a loss of the state goes unnoticed."""
        self._client = client
        self._retention = retention
        self._epoch = epoch

    def decide(self, entries: Sequence[Arrival | AnswerOrder]) -> list[SlotDecision]:
        runs = [list(run) for _, run in groupby(entries, _is_single)]
        calls = [call for run in runs for call in self._calls(run)]
        if self._epoch is None:
            replies = run_all(self._client, calls)
        else:
            # Last: a loss between two of the calls must not go unseen.
            *replies, identity = run_all(self._client, [*calls, self._epoch.call()])
            self._epoch.check(identity)
        left = iter(replies)
        return [decision for run in runs for decision in _decisions(run, left)]

    def confirm(self) -> None:
        if self._epoch is not None:
            self._epoch.confirm()

    def finish(self, completions: Mapping[RequestRevision, Completion], told: Told = MappingProxyType({})) -> None:
        *first, last = _portions(list(completions.items()))
        # Told last: an offset stands for all answers before it.
        calls = [self._finish_call(some, {}) for some in first]
        run_all(self._client, [*calls, self._finish_call(last, told)])

    def told(self) -> Told:
        with redis_errors():
            found = cast(dict[bytes, bytes], self._client.hgetall(TOLD_KEY))
        return {_source_of(name.decode()): int(offset) for name, offset in found.items()}

    def answered(self, requests: Sequence[RequestRevision]) -> list[bool]:
        return are_answered(self._client, requests)

    def reopen(self, requests: Sequence[RequestRevision]) -> None:
        reopen(self._client, requests)

    def _calls(self, run: Sequence[Arrival | AnswerOrder]) -> list[Call]:
        """Make one call for each entry; but one for all requests of a single batch, whose slot needs no room."""
        if not _is_single(run[0]):
            return [self._call(entry) for entry in run]
        arguments: list[Argument] = [self._retention.done_seconds, *(entry.coordinates for entry in run)]
        return [Call(script("claim_single"), [done_key(entry.request) for entry in run], arguments)]

    def _finish_call(self, completions: Sequence[tuple[RequestRevision, Completion]], told: Told) -> Call:
        keys = [DEADLINES_KEY, TOLD_KEY]
        arguments: list[Argument] = [self._retention.done_seconds, self._retention.result_seconds, len(told)]
        arguments += chain.from_iterable((str(source), offset) for source, offset in told.items())
        for request, done in completions:
            keys += [done_key(request), slots_key(request), result_key(request.key)]
            arguments += [_marker_of(done), str(request.key), done.encoded]
        return Call(script("finish_answers"), keys, arguments)

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


def result_key(key: JobKey) -> str:
    """Name the encoded result."""
    return f"result:{{{key}}}"


def slots_key(request: RequestRevision) -> str:
    """Name the hash of the slots."""
    return f"asm:{{{request.key}}}{_revision_suffix(request)}"


def filled_field(split: str) -> str:
    """Name the field of the hash that counts the filled slots of a split."""
    return f"#{split}"


def slot_field(split: str, batch_number: int) -> str:
    """Name the field of the hash that holds a batch."""
    return f"s{split}:{batch_number}"


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


def reopen(client: Client, requests: Sequence[RequestRevision]) -> None:
    """Forget slots and completers of these requests. One round trip. Raises TransientError."""
    with redis_errors(), client.pipeline(transaction=False) as pipeline:
        for request in requests:
            pipeline.unlink(*_keys(request))
        pipeline.execute()


def _keys(request: RequestRevision) -> tuple[str, str]:
    return slots_key(request), done_key(request)


def _source_of(name: str) -> AnswerSource:
    topic, _, partition = name.rpartition("-")
    return AnswerSource(topic, int(partition))


def _is_single(entry: Arrival | AnswerOrder) -> bool:
    return isinstance(entry, Arrival) and entry.batches == 1


def _decisions(run: Sequence[Arrival | AnswerOrder], replies: Iterator[Any]) -> Iterator[SlotDecision]:
    if not _is_single(run[0]):
        for verdict, *slots in islice(replies, len(run)):
            yield SlotDecision(Verdict(verdict.decode()), tuple(slots))
        return
    for entry, is_completer in zip(run, next(replies), strict=True):
        payload = entry.payload if isinstance(entry, Arrival) else b""
        yield SlotDecision(Verdict.COMPLETE, (payload,)) if is_completer else SlotDecision(Verdict.ANSWERED)


def _portions(
    completions: Sequence[tuple[RequestRevision, Completion]],
) -> Iterator[Sequence[tuple[RequestRevision, Completion]]]:
    for start in range(0, max(len(completions), 1), _AT_ONCE):
        yield completions[start : start + _AT_ONCE]


def _marker_of(done: Completion) -> str:
    return f"{done.coordinates}{_FINAL} {done.status} {done.at_ms}"


def _revision_suffix(request: RequestRevision) -> str:
    return f":{request.revision}" if request.revision > 1 else ""
