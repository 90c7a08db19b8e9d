"""Recognise a request that was sent before. Its marker is written once its batches are delivered."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from schemas.errors import PermanentError, TransientError
from schemas.ids import fingerprint
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
        self._claims: dict[str, _Claim] = {}
        self._request_ids: dict[str, str] = {}

    async def is_repeat(self, request: TranslationRequest, record: InboundRecord) -> bool:
        """Tell whether the same request was taken before.

        Raises PermanentError for another payload under its id, TransientError when the store is unreachable.
        The same record again (after a failure or a rebalance) is no repeat.
        """
        mine = _Claim(record.coordinates, payload_fingerprint(request))
        self._make_room()
        first = self._claims.setdefault(request.request_id, mine)
        if first.coordinates != mine.coordinates:
            return _is_same(first.fingerprint, mine.fingerprint)
        self._request_ids[record.coordinates] = request.request_id
        before = await self._seen.look_up(request.request_id)
        if before is None:
            return False
        self._forget(record.coordinates)
        return _is_same(before, mine.fingerprint)

    async def delivered(self, records: Sequence[InboundRecord]) -> None:
        """Mark the requests of these records as seen. A lost marker costs repeated work, nothing else."""
        claims = [self._forget(record.coordinates) for record in records]
        fingerprints = {request_id: mine for request_id, mine in claims if request_id}
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
        while len(self._request_ids) >= self._most_under_way:
            del self._request_ids[next(iter(self._request_ids))]

    def _forget(self, coordinates: str) -> tuple[str, str]:
        request_id = self._request_ids.pop(coordinates, "")
        claim = self._claims.pop(request_id, None)
        return request_id, claim.fingerprint if claim else ""


def payload_fingerprint(request: TranslationRequest) -> str:
    """Hash everything that decides the answer: all but the time of sending and the priority."""
    payload = {name: value for name, value in vars(request).items() if name not in _NOT_PAYLOAD}
    return fingerprint(json.dumps(payload, sort_keys=True, ensure_ascii=False).encode())


def _is_same(before: str, now: str) -> bool:
    if before == now:
        return True
    raise PermanentError(
        "id_reused",
        "another request was sent under this request_id",
        field="request_id",
        limit="one payload per id",
        cure="send the other request under an id of its own",
    )
