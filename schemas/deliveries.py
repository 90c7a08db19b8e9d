"""A webhook on its way: what the state Redis keeps of it, as JSON. Times are milliseconds since the epoch."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from urllib.parse import urlsplit

from schemas.ids import JobKey, event_id

MOST_ATTEMPTS_KEPT = 20


class DeliveryState(StrEnum):
    """How a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


@dataclass(frozen=True)
class Attempt:
    """One POST. `status_code` 0: no answer came, and `error` says why. `seconds` it took."""

    at: int
    status_code: int
    seconds: float
    error: str = ""


@dataclass(frozen=True)
class DeliveryKey:
    """The identity of a delivery: each version of a result is told once, or again with the same id."""

    job: JobKey
    version: int

    @property
    def webhook_id(self) -> str:
        """Return the id by which a receiver recognises a repeat (header webhook-id)."""
        return f"msg_{event_id('webhook', str(self.job), self.version)}"

    def __str__(self) -> str:
        return f"{self.version}/{self.job}"

    @classmethod
    def parse(cls, text: str) -> "DeliveryKey":
        """Read the text form."""
        version, _, job = text.partition("/")
        return cls(JobKey.parse(job), int(version))


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What is posted where, and what came of it. `count` counts all attempts, `attempts` holds the last ones.

    Retries end a fixed time after `started_at`. `due_at` is when the next attempt may begin; 0 where none will.
    `traceparent` is that of its result; empty where it has none.
    """

    key: DeliveryKey
    url: str
    body: str
    started_at: int
    due_at: int
    state: DeliveryState = DeliveryState.PENDING
    count: int = 0
    attempts: Sequence[Attempt] = ()
    traceparent: str = ""

    @property
    def host(self) -> str:
        """Return host and port of the URL: what the limits of one receiver go by."""
        return urlsplit(self.url).netloc.lower()

    def attempted(self, attempt: Attempt, state: DeliveryState, due_at: int) -> "Delivery":
        """Return the delivery after one more attempt."""
        kept = (*self.attempts, attempt)[-MOST_ATTEMPTS_KEPT:]
        return replace(self, count=self.count + 1, attempts=kept, state=state, due_at=due_at)

    def again(self, now_ms: int) -> "Delivery":
        """Return the delivery as one that starts now, with the same id."""
        return replace(self, state=DeliveryState.PENDING, started_at=now_ms, due_at=now_ms)

    def encode(self) -> str:
        """Return the JSON."""
        fields = {**asdict(self), "key": str(self.key)}
        if not self.traceparent:  # so that a process of before can read it
            del fields["traceparent"]
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def decode(cls, text: str | bytes) -> "Delivery":
        """Read the JSON."""
        found = json.loads(text)
        attempts = tuple(Attempt(**one) for one in found["attempts"])
        key, state = DeliveryKey.parse(found["key"]), DeliveryState(found["state"])
        return cls(**{**found, "key": key, "state": state, "attempts": attempts})
