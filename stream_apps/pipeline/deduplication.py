"""Recognise a request that was sent before. Its plan is noted once its batches are delivered."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from schemas.errors import PermanentError
from schemas.ids import JobKey, fingerprint
from schemas.messages import TranslationRequest
from schemas.plans import RequestPlan
from schemas.records import InboundRecord, StoredAt
from stream_apps.pipeline.stores import RequestPlans

# A producer that sends again stamps a new time, and may choose a more urgent topic: the same work.
_NOT_PAYLOAD = ("submitted_at", "priority")


@dataclass(frozen=True)
class _Claim:
    """The record under which a request is processed here, and the fingerprint of its payload."""

    coordinates: str
    fingerprint: str


class _UnderWay(NamedTuple):
    """A request whose outputs are being delivered."""

    key: JobKey
    plan: RequestPlan
    waits: bool

    def stored_at(self, places: Sequence[StoredAt]) -> RequestPlan:
        """Return the plan with the place of its last batch, if one waits."""
        return replace(self.plan, last_batch=places[-1]) if self.waits and places else self.plan


class RequestDeduplicator:
    """Remembers requests under way in the process, and delivered ones in the store of their plans."""

    def __init__(self, plans: RequestPlans, most_under_way: int = 10_000) -> None:
        self._plans = plans
        self._most_under_way = most_under_way
        self._claims: dict[JobKey, _Claim] = {}
        self._under_way: dict[str, _UnderWay] = {}

    def is_claimed(self, key: JobKey, payload: str, record: InboundRecord) -> bool:
        """Tell whether another record of the same request is being processed here; else claim it for this record.

        Raises PermanentError for another payload under its key. `payload` is the fingerprint of what it asks for.
        The same record again (after a failure or a rebalance) claims again.
        """
        mine = _Claim(record.coordinates, payload)
        while len(self._claims) >= self._most_under_way:
            # The oldest are requests of partitions that a rebalance took away: they are never delivered here.
            del self._claims[next(iter(self._claims))]
        first = self._claims.setdefault(key, mine)
        return first.coordinates != mine.coordinates and is_same_payload(first.fingerprint, payload)

    async def accepted(self, keys: Sequence[JobKey]) -> list[RequestPlan | None]:
        """Return the plans of the requests that were delivered before. Raises TransientError."""
        return await self._plans.look_up(keys)

    def release(self, key: JobKey, record: InboundRecord) -> None:
        """Give up the claim of this record: it has turned out to be a repeat, or must not be answered."""
        claim = self._claims.get(key)
        if claim is not None and claim.coordinates == record.coordinates:
            del self._claims[key]

    def plan(self, key: JobKey, plan: RequestPlan, record: InboundRecord, *, waits: bool) -> None:
        """Keep what this request is until it is delivered. `waits`: its last output waits for a worker."""
        while len(self._under_way) >= self._most_under_way:
            del self._under_way[next(iter(self._under_way))]
        self._under_way[record.coordinates] = _UnderWay(key, plan, waits)

    async def delivered(self, records: Sequence[InboundRecord], places: Sequence[Sequence[StoredAt]]) -> None:
        """Note the plans of these records and where they are stored. Raises TransientError; may be repeated."""
        known = [self._under_way.get(record.coordinates) for record in records]
        await self._plans.note(
            {one.key: one.stored_at(stored) for one, stored in zip(known, places, strict=True) if one}
        )
        for record, one in zip(records, known, strict=True):
            if one:
                del self._under_way[record.coordinates]
                self.release(one.key, record)


def payload_fingerprint(request: TranslationRequest) -> str:
    """Hash everything that decides the answer: all but the time of sending and the priority."""
    payload = {name: value for name, value in vars(request).items() if name not in _NOT_PAYLOAD}
    return fingerprint(json.dumps(payload, sort_keys=True, ensure_ascii=False).encode())


def is_same_payload(before: str, now: str) -> bool:
    """Return True for equal fingerprints. Raises PermanentError for different ones under one key."""
    if before == now:
        return True
    raise PermanentError(
        "id_reused",
        "another request of the tenant was sent under this request_id",
        field="request_id",
        limit="one payload per id",
        cure="send the other request under an id of its own",
    )
