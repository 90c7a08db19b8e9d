"""Take results from Kafka, and note a delivery for each that has a callback.

The offset of a result is committed after its delivery is noted. A repeat is recognised by tenant, request and
version, so it is noted once.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import structlog

from connectors.kafka.commit_tracker import Ticket
from connectors.kafka.committing_reader import TakenRecord
from schemas.codec import Codec
from schemas.deliveries import Delivery
from schemas.errors import PermanentError
from schemas.messages import TranslationResult
from schemas.records import CALLBACK_HEADER, TRACE_HEADER, InboundRecord
from stream_apps.runtime.retrying_loop import Turn
from stream_apps.webhooks.body import delivery_of
from stream_apps.webhooks.settings import WebhookLimits

log = structlog.get_logger()

_TAKE_RECORDS, _TAKE_SECONDS, _TAKE_BYTES = 500, 1.0, 8_000_000


class Tracker(Protocol):
    """Keeps account of records in hand (connectors.kafka.commit_tracker)."""

    def finished(self, ticket: Ticket) -> None:
        """Note that everything that the record led to is stored."""


class Source(Protocol):
    """Where results come from (connectors.kafka.committing_reader). Raises TransientError or FatalError."""

    @property
    def tracker(self) -> Tracker:
        """Return the account of the records in hand."""

    def take(self, limit: int, timeout_seconds: float, limit_bytes: float) -> list[TakenRecord]:
        """Return up to `limit` records, none after the timeout."""

    def commit(self) -> bool:
        """Ask Kafka to store the positions that advanced."""


class Deliveries(Protocol):
    """Where deliveries are noted (connectors.redis.deliveries). Raises TransientError."""

    def enqueue(self, deliveries: Sequence[Delivery]) -> int:
        """Note those that are not known yet, and return how many they were."""


@dataclass
class Taker:
    """For one thread; `on_new` is called after deliveries were noted, `ensure_state` before each turn."""

    source: Source
    deliveries: Deliveries
    codec: Codec
    limits: WebhookLimits
    now_ms: Callable[[], int]
    on_new: Callable[[], object]
    ensure_state: Callable[[], object] = lambda: None
    clock: Callable[[], float] = time.monotonic
    _committed_at: float = field(default=0.0, init=False)

    def turn(self) -> Turn:
        """Take some results, note their deliveries, commit now and then. Raises TransientError or FatalError."""
        self.ensure_state()
        taken = self.source.take(_TAKE_RECORDS, _TAKE_SECONDS, _TAKE_BYTES)
        self.note([record for record, _ in taken])
        for _, ticket in taken:
            self.source.tracker.finished(ticket)
        if self.clock() - self._committed_at >= self.limits.commit_seconds:
            self.source.commit()
            self._committed_at = self.clock()
        return Turn.DONE if taken else Turn.IDLE

    def note(self, records: Sequence[InboundRecord]) -> int:
        """Note the deliveries that these results ask for; return how many are new."""
        found = [one for record in records if (one := self.delivery_in(record))]
        new = self.deliveries.enqueue(found) if found else 0
        if new:
            self.on_new()
        return new

    def delivery_in(self, record: InboundRecord) -> Delivery | None:
        """Return what a result asks for. Most ask for nothing, and are not decoded."""
        if record.value is None or CALLBACK_HEADER not in record.headers:
            return None
        try:
            result = self.codec.decode(record.value, TranslationResult)
            found = delivery_of(result, self.limits, self.now_ms())
            is_addressed = found is not None and bool(found.host)
        except (PermanentError, ValueError, OverflowError) as error:  # no URL, or a time that no calendar has
            log.error("result_unreadable", record=record, error=_said(error))
            return None
        if found is None or not is_addressed:
            return None
        return replace(found, traceparent=record.trace.get(TRACE_HEADER, b"").decode(errors="replace"))


def _said(error: Exception) -> str:
    # Other messages may quote the URL, which may hold a secret.
    return error.message if isinstance(error, PermanentError) else type(error).__name__
