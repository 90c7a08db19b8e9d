"""The ports of the HTTP producer. adapters.py implements them on Kafka, Redis and the object store."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from fastapi import Request

from connectors.memory import InMemoryTenantErasures
from connectors.object_files import Digest, Written, chunks_of
from connectors.redis.job_list import Listed
from connectors.redis.job_view import JobView
from connectors.tracing.spans import NO_TRACER, Tracer
from producers.http.admission.accounts import Accounts
from producers.http.admission.queue_load import QueuePosition
from producers.http.admission.tenant_shares import TenantShares
from producers.http.blocking.dead_letters import DeadLetters, NoDeadLetters
from producers.http.blocking.detection import Detector, ThreadedDetector
from producers.http.blocking.glossaries import Glossaries
from producers.http.blocking.past_jobs import NoPastJobs, PastJobs
from producers.http.blocking.tenant_erasing import NoRequests, TenantErasing
from producers.http.blocking.usage import Books, NoBooks
from schemas.catalogue import Catalogue
from schemas.deliveries import Delivery
from schemas.errors import PermanentError
from schemas.events import JobControl
from schemas.ids import JobKey
from schemas.lanes import Lane
from schemas.messages import TranslatedBatch, TranslationRequest, TranslationResult
from schemas.priorities import Priority
from schemas.records import Headers
from stream_apps.accounts.budgets import Budgets, NoBudgets
from stream_apps.accounts.webhook_secrets import WebhookSecrets
from stream_apps.glossaries.store import InMemoryGlossaries
from stream_apps.runtime.process import now_ms


class RequestLog(Protocol):
    """Stores accepted requests and the orders to cancel or erase them."""

    async def append(self, request: TranslationRequest, priority: Priority, headers: Headers) -> None:
        """Return once the request is durable. Raises TransientError when that takes too long."""

    async def cancel(self, order: JobControl) -> None:
        """Return once the order is durable. Raises TransientError when that takes too long."""


@dataclass(frozen=True)
class JobSnapshot:
    """What one look at a job found. Either may be missing: the view comes later, the result expires first."""

    view: JobView | None
    result: TranslationResult | None

    @property
    def is_known(self) -> bool:
        """Tell whether there is such a job."""
        return self.result is not None or self.view is not None

    @property
    def is_finished(self) -> bool:
        """Tell whether the result is there or the view says that the job is finished."""
        return self.result is not None or (self.view is not None and self.view.status is not None)

    @property
    def erased_at(self) -> int | None:
        """Return when its texts were erased, in milliseconds since the epoch; None while they are not."""
        known = (self.result, self.view)
        return next((one.erased_at for one in known if one and one.erased_at is not None), None)


class Jobs(Protocol):
    """Tells what is known of accepted requests. Raises TransientError when the store does not answer."""

    async def look(self, key: JobKey) -> JobSnapshot:
        """Return how far the job is and its result, as far as they are known."""

    async def follow(self, key: JobKey, first: int, most: int) -> tuple[JobSnapshot, Sequence[TranslatedBatch]]:
        """Look, and return the translated batches of an open job, too: from `first` on, until one is missing."""

    async def page(self, tenant: str, since_ms: int, before: str, most: int) -> Sequence[Listed]:
        """Return up to `most` jobs of the tenant, the newest first, from `since_ms` on and before a place."""


class ResultWaiter(Protocol):
    """Waits for the result of one job."""

    async def result(self, timeout_seconds: float) -> TranslationResult | None:
        """Return the result as soon as it is there; None when the time is up."""

    def pause(self, least_seconds: float) -> float:
        """Return the seconds until the next look at the job: longer where many wait."""


class ResultWaits(Protocol):
    """Tells of results as they are published."""

    def expect(self, key: JobKey) -> AbstractContextManager[ResultWaiter]:
        """Register a waiter for the result of a job: before the request is sent, or before looking.

        Raises OverloadedError while too many wait.
        """


class Texts(Protocol):
    """Stores the texts that are too large for a Kafka record."""

    @property
    def max_inline_bytes(self) -> int:
        """Return the UTF-8 bytes up to which a text stays in its record."""

    async def keep(self, key: JobKey, text: str) -> str:
        """Store the text and return its reference. Raises TransientError."""

    async def load(self, reference: str) -> str:
        """Return the text of a reference. Raises TransientError."""


@dataclass(frozen=True)
class Upload:
    """A file that a caller has sent, with the name and the media type that its part of the form had."""

    file: BinaryIO
    file_name: str
    media_type: str

    def measured(self) -> Written:
        """Return its size and digest. Blocks while it is read."""
        digest = Digest()
        for _ in digest.over(self.chunks()):
            pass
        return digest.written

    def chunks(self) -> Iterator[bytes]:
        """Yield the content from its beginning, a megabyte at a time."""
        self.file.seek(0)
        return chunks_of(self.file)


class Documents(Protocol):
    """Stores the files of documents."""

    async def keep(self, ref: str, upload: Upload) -> None:
        """Store the file under the reference. Raises TransientError."""

    async def open(self, ref: str) -> tuple[int, Iterator[bytes]]:
        """Return the size of a stored file and its content; reading it blocks.

        Raises PermanentError where it is gone, TransientError.
        """


class NoDocuments:
    """Stands in where no object store is configured that every process can read: it refuses every file."""

    async def keep(self, ref: str, upload: Upload) -> None:
        del ref, upload
        raise _no_store()

    async def open(self, ref: str) -> tuple[int, Iterator[bytes]]:
        del ref
        raise _no_store()


def _no_store() -> PermanentError:
    return PermanentError(
        "no_object_store",
        "documents need an object store, and none is configured",
        field="file",
        limit="texts only",
        cure="send the text, or have DRAGOMAN_OBJECTS_URL set",
    )


class Deliveries(Protocol):
    """Tells what came of webhooks. Raises TransientError."""

    async def of_job(self, job: JobKey) -> Sequence[Delivery]:
        """Return the deliveries of a job by version; none for a job without a callback."""

    async def settle(self, delivery: Delivery) -> None:
        """Note how it stands; with a `due_at` it is made then."""


class NoDeliveries:
    """Stands in where nothing is delivered."""

    async def of_job(self, job: JobKey) -> Sequence[Delivery]:
        del job
        return ()

    async def settle(self, delivery: Delivery) -> None:
        del delivery


class Models(Protocol):
    """Tells what can be translated at the moment."""

    async def catalogue(self) -> Catalogue:
        """Return what ready workers have announced; empty while none has. Raises TransientError."""


class BackpressureGate(Protocol):
    """Refuses requests while too many wait."""

    def lane_of(self, request: TranslationRequest, priority: Priority) -> Lane:
        """Return where a request that is not cut yet will probably wait."""

    def check(self, lane: Lane) -> None:
        """Raise OverloadedError when there is no room for another request of the lane."""

    def count(self, priority: Priority) -> None:
        """Count one more request that Kafka has stored."""

    def ahead(self, lane: Lane) -> QueuePosition | None:
        """Tell what is ahead of a request that was just counted; None where that is not known."""

    def position(self, view: JobView) -> QueuePosition | None:
        """Tell what is ahead of the job's last batch; None where that is not known."""


@dataclass(frozen=True)
class Ports:
    """All ports together. `now_ms` gives milliseconds since the epoch."""

    requests: RequestLog
    jobs: Jobs
    results: ResultWaits
    texts: Texts
    models: Models
    backpressure: BackpressureGate
    accounts: Accounts
    shares: TenantShares
    now_ms: Callable[[], int]
    books: Books = field(default_factory=NoBooks)
    detector: Detector = field(default_factory=ThreadedDetector)
    budgets: Budgets = field(default_factory=NoBudgets)
    documents: Documents = field(default_factory=NoDocuments)
    dead_letters: DeadLetters = field(default_factory=NoDeadLetters)
    past_jobs: PastJobs = field(default_factory=NoPastJobs)
    erasing: TenantErasing = field(
        default_factory=lambda: TenantErasing(NoRequests(), InMemoryTenantErasures(), now_ms)
    )
    glossaries: Glossaries = field(default_factory=lambda: Glossaries(InMemoryGlossaries(), now_ms))
    deliveries: Deliveries = field(default_factory=NoDeliveries)
    signing: WebhookSecrets | None = None
    tracer: Tracer = NO_TRACER


def ports_of(request: Request) -> Ports:
    """Return the ports of the application that serves the request."""
    ports: Ports = request.app.state.ports
    return ports
