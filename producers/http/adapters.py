"""The ports, made of Kafka, Redis and the object store."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.lost_client import LostConnection
from connectors.objects.object_store import ObjectStore
from connectors.redis.client import AsyncClient, redis_errors
from connectors.redis.job_view import JobView, JobViews
from connectors.redis.model_registry import ModelVersions
from connectors.redis.results import ResultStore
from producers.http.load import QueueCounts, BacklogReading
from schemas.codec import Codec
from schemas.errors import DragomanError, PermanentError, TransientError
from schemas.ids import event_id, fingerprint
from schemas.messages import TranslationResult
from schemas.priorities import Priority
from schemas.topics import INTAKE_GROUP, batches_topic, inference_group, requests_topic


@dataclass(frozen=True)
class RedisJobs:
    """Jobs from the state Redis; its clients are for threads."""

    views: JobViews
    results: ResultStore
    codec: Codec

    async def view(self, job_id: str) -> JobView | None:
        return await asyncio.to_thread(self.views.read, job_id)

    async def result(self, job_id: str) -> TranslationResult | None:
        encoded = await asyncio.to_thread(self.results.get, job_id)
        return None if encoded is None else self.codec.decode(encoded, TranslationResult)


@dataclass(frozen=True)
class StoredTexts:
    """Texts in the object store, whose client blocks."""

    store: ObjectStore
    max_result_bytes: int

    async def keep(self, request_id: str, text: str) -> str:
        # The content is part of the name: a text that was accepted is never replaced.
        name = f"requests/{event_id(request_id, fingerprint(text.encode()))}.txt"
        return await asyncio.to_thread(self.store.write_text, name, text)

    async def load(self, reference: str) -> str:
        return await asyncio.to_thread(self.store.read_text, reference, self.max_result_bytes)


@dataclass(frozen=True)
class NoTexts:
    """Where no store is configured that the other processes could read too."""

    max_inline_bytes: int

    async def keep(self, request_id: str, text: str) -> str:
        raise PermanentError(
            "text_too_long",
            f"the text of {request_id} has {len(text.encode())} bytes",
            field="text",
            limit=f"{self.max_inline_bytes} bytes where no object store is configured",
            cure="split it into several requests, or have DRAGOMAN_OBJECTS_URL set",
        )

    async def load(self, reference: str) -> str:
        raise TransientError(f"no object store is configured to read {reference} from")


@dataclass(frozen=True)
class RegisteredModels:
    """What the pools' workers have announced."""

    versions: ModelVersions
    pools: tuple[str, ...]

    async def pairs(self) -> Sequence[str]:
        return sorted({pair for pool in self.pools for pair in await self.versions.read(pool)})


@dataclass(frozen=True)
class KafkaBacklog:
    """What the groups of intake and of the workers have still to read; the admin client blocks."""

    admin: KafkaAdmin
    pools: tuple[str, ...]
    clock: Callable[[], float] = time.monotonic

    async def read(self) -> BacklogReading:
        return await asyncio.to_thread(self._read)

    def _read(self) -> BacklogReading:
        requests = {one: self._queue([(INTAKE_GROUP, requests_topic(one))]) for one in Priority}
        batches = {
            one: self._queue([(inference_group(pool, one), batches_topic(pool, one)) for pool in self.pools])
            for one in Priority
        }
        return BacklogReading(self.clock(), requests, batches)

    def _queue(self, sources: Sequence[tuple[str, str]]) -> QueueCounts:
        lags = [lag for group, topic in sources for lag in self.admin.lag(group, [topic])]
        return QueueCounts(sum(lag.records for lag in lags), sum(max(lag.committed, 0) for lag in lags))


@dataclass(frozen=True)
class PartsReadiness:
    """Kafka to accept, Redis to answer."""

    kafka: LostConnection
    state: AsyncClient

    async def problems(self) -> list[str]:
        """Raises FatalError when the client of Kafka is lost."""
        is_heard = await asyncio.to_thread(self.kafka.is_heard)
        return [*([] if is_heard else ["Kafka does not answer"]), *await self._redis_problems()]

    async def _redis_problems(self) -> list[str]:
        try:
            with redis_errors():
                await self.state.ping()
        except DragomanError as error:
            return [str(error)]
        return []
