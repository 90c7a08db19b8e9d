"""Delete what erased requests left outside of their results: files, stored texts, and dead letters.

Twice: at once, and when nothing that was under way at the erasure can write any more.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

import structlog

from connectors.redis.erasures import RedisErasures
from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.events import DeadLetter
from schemas.ids import JobKey, job_folder, job_inbox, request_texts, result_texts
from schemas.records import InboundRecord, OutboundRecord
from schemas.topics import DEAD_LETTERS
from stream_apps.repair.retention import StoredTexts
from stream_apps.runtime.sending import RecordSender

log = structlog.get_logger()

_FOLDERS = (job_folder, job_inbox, request_texts, result_texts)
_AT_ONCE = 1000


class Erasures(Protocol):
    """The requests that were erased lately (connectors.redis.erasures). Raises TransientError."""

    def all(self) -> dict[JobKey, int]:
        """Return when each was erased, in milliseconds since the epoch."""

    def forget(self, keys: Collection[JobKey]) -> None:
        """Forget these."""


@dataclass(frozen=True)
class DeadLetterEraser:
    """Closes the dead letters of requests; compaction drops them then. `read` yields the whole topic."""

    read: Callable[[], Iterable[InboundRecord]]
    producer: RecordSender
    codec: Codec

    def erase(self, keys: Collection[JobKey]) -> int:
        """Close all that are about these requests, and return how many. Blocks; raises TransientError."""
        wanted = set(keys)
        found: dict[bytes, int] = {}
        for record in self.read():
            found.pop(record.key or b"", None)
            if record.key and record.value is not None and self._is_about(record, wanted):
                found[record.key] = record.partition
        if found:
            self.producer.send(
                [OutboundRecord(DEAD_LETTERS, key, None, {}, number) for key, number in found.items()]
            )
        return len(found)

    def _is_about(self, record: InboundRecord, wanted: Collection[JobKey]) -> bool:
        try:
            letter = self.codec.decode(record.value, DeadLetter)
        except PermanentError:
            return False
        if letter.request_id is not None:
            return JobKey(letter.tenant or "", letter.request_id) in wanted
        return any(key in wanted for key in _keys_of(letter))


@dataclass
class ErasureSweeper:
    """Call `turn` again and again. `now_ms`: milliseconds since the epoch; `store` None: no text is stored apart.

    `again_ms`: how long after an erasure something of its request may still be written.
    """

    erased: Erasures | RedisErasures
    store: StoredTexts | None
    letters: DeadLetterEraser
    now_ms: Callable[[], int]
    again_ms: int
    _done: set[JobKey] = field(default_factory=set, init=False)

    def turn(self) -> None:
        """Delete what is left of requests that are new here, or due again. Raises TransientError; call again."""
        found, now_ms = self.erased.all(), self.now_ms()
        last = {key for key, at_ms in found.items() if now_ms - at_ms >= self.again_ms}
        due = [key for key in found if key in last or key not in self._done]
        if not due:
            return
        files = sum(map(self._delete_files, due))
        letters = self.letters.erase(due)
        self.erased.forget(last)
        self._done = found.keys() - last
        log.info("erased_requests_swept", requests=len(due), files=files, dead_letters=letters)

    def _delete_files(self, key: JobKey) -> int:
        if self.store is None:
            return 0
        left, deleted = iter(self._files(self.store, key)), 0
        while refs := list(islice(left, _AT_ONCE)):
            self.store.delete(refs)
            deleted += len(refs)
        return deleted

    def _files(self, store: StoredTexts, key: JobKey) -> Sequence[str]:
        return [text.ref for folder in _FOLDERS for text in store.texts(folder(key).rstrip("/"))]


def _keys_of(letter: DeadLetter) -> Iterator[JobKey]:
    """Yield the requests that the key of what failed may name: a request's, or a batch's behind its slash."""
    text = (letter.key or b"").decode(errors="replace")
    yield JobKey.parse(text)
    job, _, number = text.rpartition("/")
    if number.isdecimal():
        yield JobKey.parse(job)
