"""Recognise a request that was sent before. Its marker is written once its batches are delivered."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from schemas.errors import PermanentError, TransientError
from schemas.ids import JobKey, fingerprint
from schemas.messages import TranslationRequest
from schemas.records import InboundRecord
from stream_apps.pipeline.stores import SeenRequests

log = structlog.get_logger()

# A producer that sends again stamps a new time, and may choose a more urgent topic: the same work.
_NOT_PAYLOAD = ("submitted_at", "priority")


@dataclass(frozen=True)
class _Claim:
    """The record under which a request is processed here, and the fingerprint of its payload."""

    coordinates: str
    fingerprint: str


class RequestDeduplicator:
    """Remembers requests under way in the process, and delivered ones in the store of seen requests."""

    def __init__(self, seen: SeenRequests, ttl_seconds: int, most_under_way: int = 10_000) -> None:
        self._seen = seen
        self._most_under_way = most_under_way
        self._ttl_seconds = ttl_seconds
        self._claims: dict[JobKey, _Claim] = {}
        self._keys: dict[str, JobKey] = {}

    async def is_repeat(self, key: JobKey, payload: str, record: InboundRecord) -> bool:
        """Tell whether the same request was taken before; `payload` is the fingerprint of what it asks for.

        Raises PermanentError for another payload under its key, TransientError when the store is unreachable.
        The same record again (after a failure or a rebalance) is no repeat.
        """
        mine = _Claim(record.coordinates, payload)
        self._make_room()
        first = self._claims.setdefault(key, mine)
        if first.coordinates != mine.coordinates:
            return _is_same(first.fingerprint, mine.fingerprint)
        self._keys[record.coordinates] = key
        before = await self._seen.look_up(key)
        if before is None:
            return False
        self._forget(record.coordinates)
        return _is_same(before, mine.fingerprint)

    async def delivered(self, records: Sequence[InboundRecord]) -> None:
        """Mark the requests of these records as seen. A lost marker costs repeated work, nothing else."""
        claims = [self._forget(record.coordinates) for record in records]
        fingerprints = {key: mine for key, mine in claims if key}
        if not fingerprints:
            return
        try:
            await self._seen.mark(fingerprints, self._ttl_seconds)
        except TransientError as error:
            log.warning("seen_marker_lost", requests=len(fingerprints), error=str(error))

    def _make_room(self) -> None:
        # The oldest are requests of partitions that a rebalance took away: they are never delivered here.
        while len(self._claims) >= self._most_under_way:
            del self._claims[next(iter(self._claims))]
        while len(self._keys) >= self._most_under_way:
            del self._keys[next(iter(self._keys))]

    def _forget(self, coordinates: str) -> tuple[JobKey | None, str]:
        key = self._keys.pop(coordinates, None)
        claim = self._claims.pop(key, None) if key else None
        return key, claim.fingerprint if claim else ""


def payload_fingerprint(request: TranslationRequest) -> str:
    """Hash everything that decides the answer: all but the time of sending and the priority."""
    payload = {name: value for name, value in vars(request).items() if name not in _NOT_PAYLOAD}
    return fingerprint(json.dumps(payload, sort_keys=True, ensure_ascii=False).encode())


def _is_same(before: str, now: str) -> bool:
    if before == now:
        return True
    raise PermanentError(
        "id_reused",
        "another request of the tenant was sent under this request_id",
        field="request_id",
        limit="one payload per id",
        cure="send the other request under an id of its own",
    )
