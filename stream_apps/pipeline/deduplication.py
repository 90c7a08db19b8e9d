"""Recognises a request that was sent before. The marker is written after delivery, never earlier."""

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
    coordinates: str
    fingerprint: str


class Repeats:
    """Remembers in the process what is under way, and in Redis what is delivered."""

    def __init__(self, seen: SeenRequests, ttl_seconds: int, most_under_way: int = 10_000) -> None:
        self._seen = seen
        self._most_under_way = most_under_way
        self._ttl_seconds = ttl_seconds
        self._under_way: dict[str, _Claim] = {}
        self._requests: dict[str, str] = {}

    async def is_repeat(self, request: TranslationRequest, record: InboundRecord) -> bool:
        """Whether the same request was taken before. Raises PermanentError for another payload of its id.

        The same record again (after a failure or a rebalance) is no repeat.
        """
        mine = _Claim(record.coordinates, payload_fingerprint(request))
        self._make_room()
        first = self._under_way.setdefault(request.request_id, mine)
        if first.coordinates != mine.coordinates:
            return _same(first.fingerprint, mine.fingerprint)
        self._requests[record.coordinates] = request.request_id
        before = await self._seen.look_up(request.request_id)
        if before is None:
            return False
        self._forget(record.coordinates)
        return _same(before, mine.fingerprint)

    async def delivered(self, records: Sequence[InboundRecord]) -> None:
        """The outputs of these are stored. Losing the marker costs repeated work, nothing else."""
        claims = [self._forget(record.coordinates) for record in records]
        fingerprints = {request_id: mine for request_id, mine in claims if request_id}
        if not fingerprints:
            return
        try:
            await self._seen.mark(fingerprints, self._ttl_seconds)
        except TransientError as error:
            log.warning("seen_marker_lost", requests=len(fingerprints), error=str(error))

    def _make_room(self) -> None:
        # What a rebalance took away is never delivered here; the oldest are such, if there are so many.
        while len(self._under_way) >= self._most_under_way:
            del self._under_way[next(iter(self._under_way))]
        while len(self._requests) >= self._most_under_way:
            del self._requests[next(iter(self._requests))]

    def _forget(self, coordinates: str) -> tuple[str, str]:
        request_id = self._requests.pop(coordinates, "")
        claim = self._under_way.pop(request_id, None)
        return request_id, claim.fingerprint if claim else ""


def payload_fingerprint(request: TranslationRequest) -> str:
    """Over all that decides the answer: everything but the time of sending and the priority."""
    payload = {name: value for name, value in vars(request).items() if name not in _NOT_PAYLOAD}
    return fingerprint(json.dumps(payload, sort_keys=True, ensure_ascii=False).encode())


def _same(before: str, now: str) -> bool:
    if before == now:
        return True
    raise PermanentError(
        "id_reused",
        "another request was sent under this request_id",
        field="request_id",
        limit="one payload per id",
        cure="send the other request under an id of its own",
    )
