"""Track requests without a result, and tell what became of each of them. Pure.

It keeps hashes of keys, not texts, so millions of requests fit into memory.
"""

from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import islice, takewhile
from typing import NamedTuple

from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.messages import TranslationResult
from schemas.own_topics import request_of
from schemas.records import (
    FIRST_REVISION,
    InboundRecord,
    redriven_revision,
    revisions_up_to,
    told_erased,
    told_version,
)
from schemas.topics import priority_of_topic
from stream_apps.repair.low_watermark import Watermarks

ANSWERED, ON_THEIR_WAY, LOST, GIVEN_UP = "answered", "on_their_way", "lost", "given_up"


class RecordLocation(NamedTuple):
    """Where a record is in Kafka."""

    topic: str
    partition: int
    offset: int

    @classmethod
    def of(cls, record: InboundRecord) -> "RecordLocation":
        """Return the location of a record that was read."""
        return cls(record.topic, record.partition, record.offset)


@dataclass(frozen=True)
class LossPolicy:
    """When a request counts as lost: it is more than `grace_ms` older than the watermark.

    After `most_redrives` it is given up instead of sent again.
    """

    grace_ms: int
    most_redrives: int


@dataclass(frozen=True)
class OpenRequest:
    """A request without a result. `location` is its first record, the one to send again.

    `stored_ms` is when Kafka stored that record, `last_sent_ms` the same for its newest redriven copy.
    """

    location: RecordLocation
    revision: int
    stored_ms: int
    last_sent_ms: int
    redrives: int


@dataclass
class OpenRequests:
    """Add all requests, then all results; what remains is open. Holds part number `part` of `parts` of all keys.

    `refused` are the requests that intake refused without an answer. `counts` has the answered and unanswerable.
    With `answered`, more of both may follow: it remembers what was answered, and when, so that a repeat that comes
    later opens nothing.
    """

    codec: Codec
    refused: Set[RecordLocation]
    part: int = 0
    parts: int = 1
    answered: dict[bytes, int] | None = None
    counts: Counter[str] = field(default_factory=Counter)
    _open: dict[bytes, OpenRequest] = field(default_factory=dict)
    # Revisions after the first with their own hashes, by the hash of the key.
    _corrections: dict[bytes, dict[int, bytes]] = field(default_factory=dict)

    def __len__(self) -> int:
        """Count the open requests."""
        return len(self._open)

    def begin(self, refused: Set[RecordLocation]) -> None:
        """Begin to add more: of those, these are refused, and only those are counted."""
        self.refused = refused
        self.counts.clear()

    def add_request(self, record: InboundRecord) -> None:
        """Add a request record. A plain repeat changes nothing; a redriven copy starts the wait anew.

        Intake drops a plain repeat, so it brings no answer nearer; if it started the wait anew, a caller who keeps
        repeating a lost request would keep it from being repaired.
        """
        location = RecordLocation.of(record)
        key = None if location in self.refused else self._key(record)
        if key is None:
            self.counts["unanswerable"] += self.part == 0
            return
        if not self._is_mine(key):
            return
        redriven = redriven_revision(record.headers)
        revision = redriven or FIRST_REVISION
        hashed, stored_ms = _hash(key, revision), record.timestamp_ms
        if self.answered and hashed in self.answered:
            return
        if revision > FIRST_REVISION:
            self._corrections.setdefault(_hash(key), {})[revision] = hashed
        known = self._open.get(hashed)
        if known is None:
            self._open[hashed] = OpenRequest(location, revision, stored_ms, stored_ms, int(redriven is not None))
        elif redriven is not None:
            self._open[hashed] = replace(known, last_sent_ms=stored_ms, redrives=known.redrives + 1)

    def add_result(self, record: InboundRecord) -> None:
        """Close the request of a result record, with every earlier revision of it; of an erased one, with all."""
        if not record.key or not self._is_mine(key := record.key.decode(errors="replace")):
            return
        corrections = self._corrections.get(_hash(key), {})
        erased = corrections if told_erased(record.headers) is not None else ()
        for revision in sorted({*revisions_up_to(self._version(record)), *erased}):
            self._close(corrections.pop(revision, b"") or _hash(key, revision), record.timestamp_ms)
        if not corrections:
            self._corrections.pop(_hash(key), None)

    def holds(self, locations: Set[RecordLocation]) -> bool:
        """Tell whether one of these records is the first of an open request."""
        return bool(locations) and any(request.location in locations for request in self._open.values())

    def forget(self, before_ms: int, most_ids: int) -> None:
        """Forget what was sent or answered before that time, and the oldest answers beyond that number of ids."""
        late = [hashed for hashed, request in self._open.items() if request.last_sent_ms < before_ms]
        for hashed in late:
            del self._open[hashed]
        self._corrections = {
            key: revisions
            for key, revisions in self._corrections.items()
            if any(hashed in self._open for hashed in revisions.values())
        }
        answered = self.answered or {}
        old = sum(1 for _ in takewhile(lambda at_ms: at_ms < before_ms, answered.values()))
        for hashed in list(islice(answered, max(old, len(self._open) + len(answered) - most_ids))):
            del answered[hashed]

    def fates(self, watermarks: Watermarks, loss_policy: LossPolicy) -> Iterator[tuple[OpenRequest, str]]:
        """Yield every open request with its fate: LOST, ON_THEIR_WAY or GIVEN_UP."""
        for request in self._open.values():
            watermark_ms = watermarks[priority_of_topic(request.location.topic)]
            if request.last_sent_ms >= watermark_ms - loss_policy.grace_ms:
                yield request, ON_THEIR_WAY
            else:
                yield request, GIVEN_UP if request.redrives >= loss_policy.most_redrives else LOST

    def _close(self, key: bytes, at_ms: int) -> None:
        if self._open.pop(key, None):
            self.counts[ANSWERED] += 1
        if self.answered is not None:
            # Again at the end: the oldest answers come first.
            self.answered.pop(key, None)
            self.answered[key] = at_ms

    def _version(self, record: InboundRecord) -> int:
        # Decoding all results only for this would take most of the time.
        if version := told_version(record.headers):
            return version
        try:
            return self.codec.decode(record.value, TranslationResult).version
        except PermanentError:
            return FIRST_REVISION

    def _is_mine(self, key: str) -> bool:
        return _hash(key)[0] % self.parts == self.part

    def _key(self, record: InboundRecord) -> str | None:
        try:
            return str(request_of(record, self.codec).key)
        except PermanentError:
            return None


def _hash(key: str, revision: int = FIRST_REVISION) -> bytes:
    # 10 bytes: among a hundred million ids, the chance that any two collide is about one in two hundred million.
    named = key if revision == FIRST_REVISION else f"{key}\n{revision}"
    return blake2b(named.encode(), digest_size=10).digest()
