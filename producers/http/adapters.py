"""The ports, made of Kafka, Redis and the object store."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.kafka.producer import DurableProducer
from connectors.objects.object_store import ObjectStore
from connectors.redis.client import AsyncClient, redis_errors
from connectors.redis.job_view import JobView, JobViews
from connectors.redis.model_registry import ModelVersions
from connectors.redis.results import ResultStore
from schemas.codec import Codec
from schemas.errors import DragomanError, PermanentError, TransientError
from schemas.ids import event_id, fingerprint
from schemas.messages import TranslationResult


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
class PartsReadiness:
    """Kafka to accept, Redis to answer."""

    producer: DurableProducer
    state: AsyncClient

    async def problems(self) -> list[str]:
        is_reachable = await asyncio.to_thread(self.producer.is_reachable)
        return [*([] if is_reachable else ["Kafka does not answer"]), *await self._redis_problems()]

    async def _redis_problems(self) -> list[str]:
        try:
            with redis_errors():
                await self.state.ping()
        except DragomanError as error:
            return [str(error)]
        return []
