"""The HTTP application on ports in memory: what Kafka, Redis and the object store would hold."""

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from connectors.memory import InMemoryDeliveries
from connectors.redis.job_list import Listed
from connectors.redis.job_view import JobView
from connectors.redis.request_markers import place_of
from producers.http.blocking.usage import Row, UsageQuestion
from producers.http.ports import JobSnapshot, Upload
from schemas.catalogue import Catalogue, catalogue_of
from schemas.errors import PermanentError, TransientError
from schemas.events import JobControl
from schemas.ids import JobKey
from schemas.languages import parse_language
from schemas.messages import TranslatedBatch, TranslationRequest, TranslationResult
from schemas.priorities import Priority
from schemas.records import Headers
from schemas.states import ResultStatus
from stream_apps.pipeline.language_detection import Detection
from stream_apps.redrive.open_dead_letters import DeadLetterFilter, DeadLetterSummary
from stream_apps.redrive.redrive import RedriveReport

NOW_MS = 1_700_000_000_000
ENGLISH = Detection(parse_language("en", "source"), 0.9)


@dataclass
class StoredFiles:
    """The files of documents, by reference."""

    files: dict[str, bytes] = field(default_factory=dict)

    async def keep(self, ref: str, upload: Upload) -> None:
        self.files[ref] = b"".join(upload.chunks())

    async def open(self, ref: str) -> tuple[int, Iterator[bytes]]:
        if ref not in self.files:
            raise PermanentError("file_expired", "the file is gone", field="job_id")
        return len(self.files[ref]), iter([self.files[ref]])


@dataclass
class World:
    """Every port of the HTTP producer at once."""

    appended: list[tuple[TranslationRequest, Priority, Headers]] = field(default_factory=list)
    ordered: list[JobControl] = field(default_factory=list)
    views: dict[JobKey, JobView] = field(default_factory=dict)
    published: dict[JobKey, TranslationResult] = field(default_factory=dict)
    results: dict[JobKey, TranslationResult] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    served: list[str] = field(default_factory=list)
    away: dict[str, Exception] = field(default_factory=dict)
    slots: dict[JobKey, list[TranslatedBatch]] = field(default_factory=dict)
    looks: int = 0
    finishes_at_look: dict[int, TranslationResult] = field(default_factory=dict)
    max_inline_bytes: int = 1_000
    documents: StoredFiles = field(default_factory=StoredFiles)
    deliveries: InMemoryDeliveries = field(default_factory=InMemoryDeliveries)
    answer: Callable[[TranslationRequest], TranslationResult] | None = None
    language: Detection = ENGLISH
    used: list[Row] = field(default_factory=list)
    questions: list[UsageQuestion] = field(default_factory=list)
    failed: list[DeadLetterSummary] = field(default_factory=list)
    redriven: dict[JobKey, RedriveReport] = field(default_factory=dict)
    past: dict[JobKey, JobView] = field(default_factory=dict)
    languages: dict[str, Detection] = field(default_factory=dict)
    detected: list[tuple[list[str], list[str]]] = field(default_factory=list)

    async def append(self, request: TranslationRequest, priority: Priority, headers: Headers) -> None:
        self._check("kafka")
        self.appended.append((request, priority, headers))
        if self.answer:
            self.published[request.key] = self.answer(request)

    async def cancel(self, order: JobControl) -> None:
        self._check("kafka")
        self.ordered.append(order)

    async def look(self, key: JobKey) -> JobSnapshot:
        self._check("redis")
        self.looks += 1
        if finished := self.finishes_at_look.get(self.looks):
            self.results[finished.key] = finished
        return JobSnapshot(self.views.get(key), self.results.get(key))

    async def page(self, tenant: str, since_ms: int, before: str, most: int) -> list[Listed]:
        self._check("redis")
        places = {
            place_of(one.key, one.submitted_at): one for one in self.views.values() if one.key.tenant == tenant
        }
        first = place_of(JobKey(tenant, ""), since_ms)
        wanted = sorted((place for place in places if first <= place < before), reverse=True)
        return [Listed(place, places[place]) for place in wanted[:most]]

    async def follow(self, key: JobKey, first: int, most: int) -> tuple[JobSnapshot, list[TranslatedBatch]]:
        batches = self.slots.get(key, [])[first : first + most]
        return await self.look(key), batches

    def expect(self, key: JobKey) -> AbstractContextManager["Waiter"]:
        return nullcontext(Waiter(self, key))

    async def keep(self, key: JobKey, text: str) -> str:
        self.texts[f"requests/{key}"] = text
        return f"requests/{key}"

    async def load(self, reference: str) -> str:
        return self.texts[reference]

    async def catalogue(self) -> Catalogue:
        self._check("redis")
        return catalogue_of(dict.fromkeys(self.served, "1"))

    async def usage(self, question: UsageQuestion) -> list[Row]:
        self._check("books")
        self.questions.append(question)
        return self.used

    async def open_of(self, wanted: DeadLetterFilter) -> list[DeadLetterSummary]:
        self._check("kafka")
        return wanted.select(self.failed)

    async def redrive(self, key: JobKey) -> RedriveReport:
        self._check("kafka")
        return self.redriven.get(key, RedriveReport())

    async def find(self, key: JobKey) -> JobView | None:
        self._check("books")
        return self.past.get(key)

    async def guess_each(self, texts: Sequence[str], among: Collection[str]) -> list[Detection]:
        self.detected.append((list(texts), sorted(among)))
        return [self.languages.get(text, self.language) for text in texts]

    def _check(self, part: str) -> None:
        if part in self.away:
            raise self.away[part]

    def take_away(self, part: str, retry_after_seconds: float = 5) -> None:
        self.away[part] = TransientError(f"{part} is away", retry_after_seconds)


def in_capitals(request: TranslationRequest) -> TranslationResult:
    """Answer an array as a pipeline whose engine writes capitals; a request that says auto is in English."""
    is_auto = request.source_language == "auto"
    return TranslationResult(
        **request.key._asdict(),
        kind="texts",
        status=ResultStatus.COMPLETED,
        texts=tuple(text.upper() for text in request.texts),
        source_language="en" if is_auto else request.source_language,
        detected_language="en" if is_auto else None,
        target_language=request.target_language,
    )


@dataclass
class Waiter:
    """Waits for the result of one job; `world.published` is what the tail of the results tells of."""

    world: World
    key: JobKey

    def pause(self, least_seconds: float) -> float:
        return least_seconds

    async def result(self, timeout_seconds: float) -> TranslationResult | None:
        if found := self.world.published.get(self.key):
            return found
        await asyncio.sleep(timeout_seconds)
        return None
