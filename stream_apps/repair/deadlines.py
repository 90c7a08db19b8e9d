"""Ends open requests whose deadline has passed: assembly answers them EXPIRED unless another answer came first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from connectors.redis.job_view import JobViews, header_of
from connectors.redis.request_markers import Deadlines
from connectors.telemetry.metrics import DEADLINES_EXPIRED
from schemas.codec import Codec
from schemas.events import JobControl
from schemas.records import OutboundRecord
from schemas.topics import CONTROL

log = structlog.get_logger()


class Orders(Protocol):
    """Stores records durably before it returns (connectors.kafka.producer.DurableProducer)."""

    def send(self, records: Sequence[OutboundRecord], timeout_seconds: float = 30.0) -> None: ...


@dataclass(frozen=True)
class DeadlineSweeper:
    """`now_ms`: milliseconds since the epoch. Raises TransientError; then the same requests come up again."""

    deadlines: Deadlines
    views: JobViews
    orders: Orders
    codec: Codec
    now_ms: Callable[[], int]
    most_requests: int

    def sweep(self) -> int:
        """How many requests were ordered to end."""
        late = self.deadlines.passed(self.now_ms(), self.most_requests)
        if not late:
            return 0
        self.orders.send([self._order(request_id) for request_id in late])
        # Not before: an order that is not stored must be sent again. One that is stored twice is harmless.
        self.deadlines.remove(late)
        DEADLINES_EXPIRED.inc(len(late))
        log.info("deadlines_passed", requests=len(late))
        return len(late)

    def _order(self, request_id: str) -> OutboundRecord:
        view = self.views.read(request_id)
        order = JobControl(
            request_id=request_id,
            action="EXPIRE",
            cause="deadline_passed",
            message="the deadline passed before the translation was finished",
            field="deadline",
            requested_by="repair",
            job=header_of(view) if view else None,
            at=self.now_ms(),
        )
        headers = {"schema": b"JobControl"}
        return OutboundRecord(CONTROL, request_id.encode(), self.codec.encode(order), headers)
