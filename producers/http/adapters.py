"""The ports of the HTTP producer on Kafka, Redis and the object store."""

import asyncio
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Protocol

import structlog

from connectors.kafka.producer import OnDone
from connectors.redis.job_list import AsyncJobList, Listed
from connectors.redis.job_view import AsyncJobViews, JobRecord
from connectors.redis.request_markers import AcceptedRequests
from producers.http.ports import JobSnapshot, Upload
from producers.http.translations.result_tail import read_message
from schemas.catalogue import Catalogue, union
from schemas.codec import Codec
from schemas.errors import DragomanError, FatalError, PermanentError, TransientError
from schemas.events import JobControl
from schemas.ids import JobKey, event_id, fingerprint, request_texts
from schemas.messages import TranslatedBatch, TranslationRequest, TranslationResult
from schemas.plans import RequestPlan
from schemas.priorities import Priority
from schemas.records import Headers, OutboundRecord
from schemas.topics import (
    CONTROL,
    requests_topic,
)
from schemas.units import kind_of
from stream_apps.pipeline.stores import ModelVersions, ObjectStore
from stream_apps.runtime.retry import RetryPolicy

log = structlog.get_logger()

# A request that was not acknowledged is worth repeating after this time.
_RETRY_AFTER_SECONDS = 5
_NOTE_RETRY, _NOTE_ATTEMPTS = RetryPolicy(), 10
_NOTES_AT_ONCE = 100


class Sender(Protocol):
    """The part of connectors.kafka.producer.DurableProducer that is needed here."""

    def send_async(self, record: OutboundRecord, on_done: OnDone) -> None:
        """Send without waiting. `on_done` is called once, from any thread."""


class FileStore(Protocol):
    """The part of connectors.object_files.Files that is needed here. Raises TransientError."""

    def size(self, name: str) -> int | None: ...
    def read(self, name: str) -> Iterator[bytes]: ...
    def write(self, name: str, chunks: Iterable[bytes]) -> object: ...


@dataclass(frozen=True)
class KafkaRequestLog:
    """Appends to the request topics, and notes what was accepted for callers who look at once.

    `on_fatal` is told of an error after which the process must not go on.
    """

    sender: Sender
    codec: Codec
    acknowledge_timeout_seconds: float
    notes: "BackgroundNotes"
    now_ms: Callable[[], int]
    on_fatal: Callable[[FatalError], None]

    async def append(self, request: TranslationRequest, priority: Priority, headers: Headers) -> None:
        """Raise TransientError when Kafka did not acknowledge in time; it may still store the request then."""
        key = request.key.encode()
        record = OutboundRecord(requests_topic(priority), key, self.codec.encode(request), headers)
        await self._stored(
            record,
            f"a repeat with request_id {request.request_id}, or with your Idempotency-Key, is answered once",
        )
        self.notes.write(request.key, _accepted(request, priority, self.now_ms()))

    async def cancel(self, order: JobControl) -> None:
        """Raise TransientError as `append` does. The key brings the order to the assembler of its request."""
        headers = {"schema": b"JobControl"}
        record = OutboundRecord(CONTROL, order.key.encode(), self.codec.encode(order), headers)
        await self._stored(record, "a repeat is harmless")

    async def _stored(self, record: OutboundRecord, about_repeats: str) -> None:
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[None] = loop.create_future()

        def on_done(error: DragomanError | None) -> None:
            loop.call_soon_threadsafe(_settle, stored, error)

        def give_up() -> None:
            message = f"Kafka did not acknowledge within {self.acknowledge_timeout_seconds:g} s; {about_repeats}"
            _settle(stored, TransientError(message, _RETRY_AFTER_SECONDS))

        self.sender.send_async(record, on_done)
        timer = loop.call_later(self.acknowledge_timeout_seconds, give_up)
        try:
            await stored
        except FatalError as error:
            self.on_fatal(error)
            raise TransientError("this process must restart", _RETRY_AFTER_SECONDS) from error
        finally:
            timer.cancel()


@dataclass
class BackgroundNotes:
    """Writes notes of accepted requests without a caller waiting for them; tries again while Redis is away.

    Those that come while some are being written are written together. Losing one costs a moment of "unknown job"
    only: intake tells more. So with `most` in line they are dropped. For one event loop.
    """

    accepted: AcceptedRequests
    most: int = 1000
    _plans: dict[JobKey, RequestPlan] = field(default_factory=dict, init=False)
    _writer: asyncio.Task[None] | None = field(default=None, init=False)

    def write(self, key: JobKey, plan: RequestPlan) -> None:
        """Have the plan written. Returns at once."""
        if len(self._plans) >= self.most:
            log.warning("acceptance_not_noted", error="too many are in line")
            return
        self._plans[key] = plan
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all())

    async def written(self) -> None:
        """Return once none is in line."""
        if self._writer:
            await self._writer

    async def _write_all(self) -> None:
        while self._plans:
            some = {key: self._plans[key] for key in islice(self._plans, _NOTES_AT_ONCE)}
            await self._write(some)
            # A plan that came meanwhile for the same request is still to be written.
            self._plans = {key: plan for key, plan in self._plans.items() if some.get(key) is not plan}

    async def _write(self, plans: Mapping[JobKey, RequestPlan]) -> None:
        for failures in range(1, _NOTE_ATTEMPTS + 1):
            try:
                await self.accepted.note(plans)
                return
            except TransientError as error:
                log.warning("acceptance_not_noted", error=str(error), failures=failures, requests=len(plans))
            await asyncio.sleep(_NOTE_RETRY.pause_seconds(failures, random.random()))


@dataclass(frozen=True)
class RedisJobs:
    """Reads jobs from the state Redis."""

    views: AsyncJobViews
    lists: AsyncJobList
    codec: Codec

    async def page(self, tenant: str, since_ms: int, before: str, most: int) -> Sequence[Listed]:
        return await self.lists.page(tenant, since_ms, before, most)

    async def look(self, key: JobKey) -> JobSnapshot:
        return await self._snapshot(await self.views.look(key))

    async def follow(self, key: JobKey, first: int, most: int) -> tuple[JobSnapshot, Sequence[TranslatedBatch]]:
        found = await self.views.follow(key, first, most)
        batches = [await read_message(self.codec, encoded, TranslatedBatch) for encoded in found.batches]
        return await self._snapshot(found), batches

    async def _snapshot(self, found: JobRecord) -> JobSnapshot:
        if found.result is None:
            return JobSnapshot(found.view, None)
        return JobSnapshot(found.view, await read_message(self.codec, found.result, TranslationResult))


@dataclass(frozen=True)
class StoredTexts:
    """Keeps large texts in the object store. Its client blocks, so it is called in threads."""

    store: ObjectStore
    max_inline_bytes: int
    max_result_bytes: int

    async def keep(self, key: JobKey, text: str) -> str:
        # The content is part of the name: a text that was accepted is never replaced.
        content = event_id(str(key), fingerprint(text.encode()))
        name = f"{request_texts(key)}{content}.txt"
        return await asyncio.to_thread(self.store.write_text, name, text)

    async def load(self, reference: str) -> str:
        try:
            return await asyncio.to_thread(self.store.read_text, reference, self.max_result_bytes)
        except PermanentError as error:
            # Whoever asks for a result did nothing wrong: the text is lost, or this process has no store.
            message = f"the text of the result cannot be read: {error.message}"
            raise TransientError(message, _RETRY_AFTER_SECONDS) from error


@dataclass(frozen=True)
class StoredDocuments:
    """Keeps files in the object store. Its client blocks, so it is called in threads."""

    files: FileStore

    async def keep(self, ref: str, upload: Upload) -> None:
        await asyncio.to_thread(self.files.write, ref, upload.chunks())

    async def open(self, ref: str) -> tuple[int, Iterator[bytes]]:
        size = await asyncio.to_thread(self.files.size, ref)
        if size is None:
            raise PermanentError(
                "file_expired",
                "the translated file is no longer in the object store",
                field="job_id",
                limit="DRAGOMAN_OBJECTS_JOB_DAYS after it was written",
                cure="send the document again under a new id",
            )
        return size, self.files.read(ref)


@dataclass(frozen=True)
class RegisteredModels:
    """Reads what the workers of the pools have announced."""

    versions: ModelVersions
    pools: tuple[str, ...]

    async def catalogue(self) -> Catalogue:
        found = [await self.versions.read(pool) for pool in self.pools]
        return found[0] if len(found) == 1 else _union(*found)


@lru_cache(maxsize=8)
def _union(*catalogues: Catalogue) -> Catalogue:
    # One reading serves the requests of seconds.
    return union(*catalogues)


def _settle(stored: asyncio.Future[None], error: DragomanError | None) -> None:
    if stored.done():
        return
    if error is None:
        stored.set_result(None)
    else:
        stored.set_exception(error)


def _accepted(request: TranslationRequest, priority: Priority, now_ms: int) -> RequestPlan:
    return RequestPlan(
        priority=priority,
        source_language=request.source_language,
        target_language=request.target_language,
        submitted_at=request.submitted_at,
        noted_at=now_ms,
        kind=kind_of(request),
        file_name=request.file_name or "",
    )
