"""Requests that were sent, less those that were answered: hashes of ids, so millions fit. Pure."""

from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.messages import TranslationRequest, TranslationResult
from schemas.records import FIRST_REVISION, InboundRecord, redriven_revision
from schemas.topics import priority_of_topic
from stream_apps.repair.low_watermark import Watermarks

RecordLocation = tuple[str, int, int]
"""Topic, partition, offset."""

ANSWERED, ON_THEIR_WAY, LOST, GIVEN_UP = "answered", "on_their_way", "lost", "given_up"


@dataclass(frozen=True)
class LossPolicy:
    """When a request counts as lost, and how often it is sent again until nobody believes in it any more."""

    grace_ms: int
    most_redrives: int


@dataclass(frozen=True)
class OpenRequest:
    """`place` is the record to send again; `at_ms` when Kafka stored it, `last_ms` its newest redriven copy."""

    place: RecordLocation
    revision: int
    at_ms: int
    last_ms: int
    redrives: int


@dataclass
class OpenRequests:
    """Fill it with the requests and then with the results. Holds one of `parts` parts of all ids."""

    codec: Codec
    refused: Set[RecordLocation]
    part: int = 0
    parts: int = 1
    counts: Counter[str] = field(default_factory=Counter)
    _open: dict[bytes, OpenRequest] = field(default_factory=dict)
    _corrected: dict[bytes, set[int]] = field(default_factory=dict)

    def sent(self, record: InboundRecord) -> None:
        """A request as it stands in its topic. Repeats change nothing, redriven copies start the wait anew.

        A plain repeat is dropped by intake, so it brings no answer nearer, and a caller who repeats for ever would
        keep his own request from being repaired.
        """
        place = (record.topic, record.partition, record.offset)
        request_id = None if place in self.refused else self._request_id(record)
        if request_id is None:
            self.counts["unanswerable"] += self.part == 0
            return
        redriven = redriven_revision(record.headers)
        revision = redriven or FIRST_REVISION
        key = _hash(request_id, revision)
        if not self._is_mine(request_id):
            return
        if revision > FIRST_REVISION:
            self._corrected.setdefault(_hash(request_id), set()).add(revision)
        known = self._open.get(key)
        if known is None:
            moment = record.timestamp_ms
            self._open[key] = OpenRequest(place, revision, moment, moment, int(redriven is not None))
        elif redriven is not None:
            self._open[key] = replace(known, last_ms=record.timestamp_ms, redrives=known.redrives + 1)

    def answered(self, record: InboundRecord) -> None:
        """A result, which stands for every earlier revision too."""
        if not record.key or not self._is_mine(request_id := record.key.decode(errors="replace")):
            return
        self._close(_hash(request_id))
        if corrected := self._corrected.get(_hash(request_id)):
            version = self._version(record)
            for revision in [one for one in corrected if one <= version]:
                self._close(_hash(request_id, revision))
                corrected.discard(revision)

    def judged(self, watermarks: Watermarks, loss_policy: LossPolicy) -> Iterator[tuple[OpenRequest, str]]:
        """Every open request: LOST, ON_THEIR_WAY, or GIVEN_UP."""
        for request in self._open.values():
            watermark_ms = watermarks[priority_of_topic(request.place[0])]
            if request.last_ms >= watermark_ms - loss_policy.grace_ms:
                yield request, ON_THEIR_WAY
            else:
                yield request, GIVEN_UP if request.redrives >= loss_policy.most_redrives else LOST

    def _close(self, key: bytes) -> None:
        if self._open.pop(key, None):
            self.counts[ANSWERED] += 1

    def _is_mine(self, request_id: str) -> bool:
        return _hash(request_id)[0] % self.parts == self.part

    def _request_id(self, record: InboundRecord) -> str | None:
        try:
            return self.codec.decode(record.value, TranslationRequest).request_id
        except PermanentError:
            return None

    def _version(self, record: InboundRecord) -> int:
        try:
            return self.codec.decode(record.value, TranslationResult).version
        except PermanentError:
            return FIRST_REVISION


def _hash(request_id: str, revision: int = FIRST_REVISION) -> bytes:
    # 10 bytes: among a hundred million ids, one in a hundred million is taken for another.
    named = request_id if revision == FIRST_REVISION else f"{request_id}\n{revision}"
    return blake2b(named.encode(), digest_size=10).digest()
