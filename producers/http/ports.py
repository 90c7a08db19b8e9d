"""What the HTTP entrance needs of the world. Tests bring small fakes; main.py brings Kafka, Redis and objects."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from connectors.redis.job_view import JobView
from schemas.events import JobControl
from schemas.messages import TranslationRequest, TranslationResult
from schemas.priorities import Priority
from schemas.records import Headers


class RequestLog(Protocol):
    """Where accepted requests are kept, and the orders to cancel them."""

    async def append(self, request: TranslationRequest, priority: Priority, headers: Headers) -> None:
        """Returns once the request is durable. Raises TransientError when that takes too long."""

    async def cancel(self, order: JobControl) -> None:
        """Returns once the order is durable. Raises TransientError when that takes too long."""


class Jobs(Protocol):
    """What is known of accepted requests. Every call raises TransientError when it cannot be asked."""

    async def view(self, job_id: str) -> JobView | None:
        """How far it is; None for an unknown one."""

    async def result(self, job_id: str) -> TranslationResult | None:
        """Its answer; None while there is none and after its time."""


class Texts(Protocol):
    """Where texts are kept that are too large for a Kafka record."""

    async def keep(self, request_id: str, text: str) -> str:
        """Stores it; returns the reference. Raises TransientError."""

    async def load(self, reference: str) -> str:
        """The text again. Raises TransientError."""


class Models(Protocol):
    """Who translates what at the moment."""

    async def pairs(self) -> Sequence[str]:
        """The pairs (`en-pt`) that ready workers have announced; empty while none has."""


class BackpressureGate(Protocol):
    """Whether there is room for one more."""

    def check(self, priority: Priority) -> None:
        """Raises OverloadedError when there is none for that priority."""

    def accepted(self, priority: Priority) -> None:
        """One more is in Kafka."""


@dataclass(frozen=True)
class Ports:
    """All of them, and the time."""

    requests: RequestLog
    jobs: Jobs
    texts: Texts
    models: Models
    admission: BackpressureGate
    now_ms: Callable[[], int]
