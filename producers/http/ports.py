"""The ports of the HTTP producer. adapters.py implements them on Kafka, Redis and the object store."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from connectors.redis.job_view import JobView
from schemas.events import JobControl
from schemas.ids import JobKey
from schemas.messages import TranslationRequest, TranslationResult
from schemas.priorities import Priority
from schemas.records import Headers


class RequestLog(Protocol):
    """Stores accepted requests and the orders to cancel them."""

    async def append(self, request: TranslationRequest, priority: Priority, headers: Headers) -> None:
        """Return once the request is durable. Raises TransientError when that takes too long."""

    async def cancel(self, order: JobControl) -> None:
        """Return once the order is durable. Raises TransientError when that takes too long."""


class Jobs(Protocol):
    """Tells what is known of accepted requests. Raises TransientError when the store does not answer."""

    async def view(self, key: JobKey) -> JobView | None:
        """Return how far the job is; None for an unknown one."""

    async def result(self, key: JobKey) -> TranslationResult | None:
        """Return the job's result; None while there is none and after it has expired."""


class Texts(Protocol):
    """Stores the texts that are too large for a Kafka record."""

    @property
    def max_inline_bytes(self) -> int:
        """Return the UTF-8 bytes up to which a text stays in its record."""

    async def keep(self, key: JobKey, text: str) -> str:
        """Store the text and return its reference. Raises TransientError."""

    async def load(self, reference: str) -> str:
        """Return the text of a reference. Raises TransientError."""


class Models(Protocol):
    """Tells what can be translated at the moment."""

    async def pairs(self) -> Sequence[str]:
        """Return the pairs (`en-pt`) that ready workers have announced. Raises TransientError."""


class BackpressureGate(Protocol):
    """Refuses requests while too many wait."""

    def check(self, priority: Priority) -> None:
        """Raise OverloadedError when there is no room for another request of the priority."""

    def count(self, priority: Priority) -> None:
        """Count one more request that Kafka has stored."""


@dataclass(frozen=True)
class Ports:
    """All ports together. `now_ms` gives milliseconds since the epoch."""

    requests: RequestLog
    jobs: Jobs
    texts: Texts
    models: Models
    backpressure: BackpressureGate
    now_ms: Callable[[], int]
