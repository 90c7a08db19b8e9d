"""The slots of open requests, and who answers each: what makes one request have one answer.

The record that fills the last slot, or an order that comes before it, becomes the request's *completer*.
It stays the completer when it is read again, because then its first transaction was aborted:

    killed before the script       nothing happened; the record is read again
    killed before the commit       the completer is read again, and wins again with the same slots
    killed before `finish`         its offset is committed; the slots stay until they expire, nobody may answer
    any other record, any time     has other coordinates: it never answers

An erasure overrules all of them, whichever revision they are of: what is under way sees it when it is confirmed,
and is undone (docs/decisions/0046).

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
from schemas.errors import TransientError
from schemas.ids import JobKey
from schemas.plans import RequestPlan
from schemas.records import FIRST_REVISION
from schemas.slots import (
    AnswerOrder,
    AnswerSource,
    Arrival,
    Completion,
    ErasureDecision,
    ErasureOrder,
    RequestRevision,
    SlotDecision,
    Told,
    Verdict,
)

_FINAL = " final"
DEADLINES_KEY = "deadlines"
ERASURES_KEY = "erasures"
_ERASURES_COUNT_KEY = "{state}:erasures"
# Of a request, revisions that were asked for and never answered; they may lie between two that were.
_MISSING_REVISIONS = 8
_DAY_SECONDS = 24 * 60 * 60
# Answers of one call: Redis does nothing else meanwhile.
_AT_ONCE = 64
_RETRY_AFTER_SECONDS = 0.01


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
    `erased:{key}`: the order that erases the request; after `finish` with the time (ms) behind it.
    `erasures`: erased requests by that time, for `repair`, which deletes their files.
    `deadlines`: open requests by deadline (connectors/redis/request_markers.py); loses the answered ones.
    """

    def __init__(self, client: Client, retention: SlotRetention, epoch: StateEpoch | None = None) -> None:
        """Take the client. Without an epoch a loss of the state goes unnoticed."""
        self._client = client
        self._retention = retention
        self._epoch = epoch
        self._erasures: bytes | None = None

    def decide(self, entries: Sequence[Arrival | AnswerOrder]) -> list[SlotDecision]:
        runs = [list(run) for _, run in groupby(entries, _is_single)]
        left = iter(self._sound([call for run in runs for call in self._calls(run)]))
        return [decision for run in runs for decision in _decisions(run, left)]

    def erase(self, orders: Sequence[ErasureOrder]) -> list[ErasureDecision]:
        return [_erasure(reply) for reply in self._sound([self._erase_call(order) for order in orders])]

    def confirm(self, claims: Mapping[RequestRevision, str] = MappingProxyType({})) -> None:
        (erasures,) = self._sound([Call(script("count_erasures"), (_ERASURES_COUNT_KEY,), ())])
        # In this order: an erasure that is claimed behind this count is seen the next time, or looks at the log
        # after these answers were stored.
        if erasures != self._erasures:
            self._check_not_overruled(claims)
            self._erasures = erasures

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

    def _sound(self, calls: Sequence[Call]) -> list[Any]:
        """Run the calls. Raises StateLostError where the state may have been lost between any two of them."""
        if self._epoch is None:
            return run_all(self._client, calls)
        # Last: a loss between two of the calls must not go unseen.
        *replies, identity = run_all(self._client, [*calls, self._epoch.call()])
        self._epoch.check(identity)
        return replies

    def _check_not_overruled(self, claims: Mapping[RequestRevision, str]) -> None:
        if not claims:
            return
        with redis_errors():
            marks = cast(list[bytes | None], self._client.mget([erased_key(request.key) for request in claims]))
        for mark, coordinates in zip(marks, claims.values(), strict=True):
            if mark is not None and mark.decode() != coordinates:
                raise TransientError("an erasure overruled an answer that was under way", _RETRY_AFTER_SECONDS)

    def _erase_call(self, order: ErasureOrder) -> Call:
        slots, done = _keys(RequestRevision(order.key))
        plans = (f"req:{{{order.key}}}", f"acc:{{{order.key}}}")
        keys = (erased_key(order.key), done, slots, *plans, _ERASURES_COUNT_KEY)
        arguments = (order.coordinates, self._retention.done_seconds, _MISSING_REVISIONS)
        return Call(script("claim_erasure"), keys, arguments)

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
            erased_at = "" if done.erased_at is None else done.erased_at
            arguments += [_marker_of(done), str(request.key), done.encoded, erased_at]
        return Call(script("finish_answers"), keys, arguments)

    def _call(self, entry: Arrival | AnswerOrder) -> Call:
        keys, kept = [*_keys(entry.request)], self._retention
        if entry.request.revision > FIRST_REVISION:
            keys.append(erased_key(entry.request.key))
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


def erased_key(key: JobKey) -> str:
    """Name the mark of an erased request."""
    return f"erased:{{{key}}}"


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


def erased_at_of(mark: bytes | None) -> int | None:
    """Read when a request was erased (ms); None while it is not."""
    _, _, at_ms = (mark or b"").decode().partition(" ")
    return int(at_ms) if at_ms.isdecimal() else None


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
    # A correction also asks whether its request is erased.
    return isinstance(entry, Arrival) and entry.batches == 1 and entry.request.revision == FIRST_REVISION


def _decisions(run: Sequence[Arrival | AnswerOrder], replies: Iterator[Any]) -> Iterator[SlotDecision]:
    if not _is_single(run[0]):
        for verdict, *slots in islice(replies, len(run)):
            yield SlotDecision(Verdict(verdict.decode()), tuple(slots))
        return
    for entry, is_completer in zip(run, next(replies), strict=True):
        payload = entry.payload if isinstance(entry, Arrival) else b""
        yield SlotDecision(Verdict.COMPLETE, (payload,)) if is_completer else SlotDecision(Verdict.ANSWERED)


def _erasure(reply: Sequence[Any]) -> ErasureDecision:
    verdict = Verdict(reply[0].decode())
    if verdict is not Verdict.COMPLETE:
        return ErasureDecision(verdict)
    _, newest, version, is_settled, plan, *slot = reply
    noted_at = RequestPlan.decode(plan).noted_at if plan else 0
    found = slot[0] if slot else None
    return ErasureDecision(verdict, completion_of(newest), version, bool(is_settled), noted_at, found)


def _portions(
    completions: Sequence[tuple[RequestRevision, Completion]],
) -> Iterator[Sequence[tuple[RequestRevision, Completion]]]:
    for start in range(0, max(len(completions), 1), _AT_ONCE):
        yield completions[start : start + _AT_ONCE]


def _marker_of(done: Completion) -> str:
    return f"{done.coordinates}{_FINAL} {done.status} {done.at_ms}"


def _revision_suffix(request: RequestRevision) -> str:
    return f":{request.revision}" if request.revision > 1 else ""
