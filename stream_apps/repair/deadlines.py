"""End open requests whose deadline passed: assembly answers them EXPIRED unless another answer came first."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from connectors.redis.job_view import JobViews, header_of
from connectors.redis.request_markers import Deadlines
from connectors.telemetry.metrics import DEADLINES_EXPIRED
from schemas.codec import Codec
from schemas.events import JobControl
from schemas.ids import JobKey
from schemas.records import OutboundRecord
from schemas.states import ControlAction
from schemas.topics import CONTROL
from stream_apps.runtime.sending import RecordSender

log = structlog.get_logger()


@dataclass(frozen=True)
class DeadlineSweeper:
    """Sends one order for each request whose deadline passed. `now_ms`: milliseconds since the epoch."""

    deadlines: Deadlines
    views: JobViews
    producer: RecordSender
    codec: Codec
    now_ms: Callable[[], int]
    most_requests: int

    def sweep(self) -> int:
        """Order at most `most_requests` requests to end, and return how many. Blocks until the orders are stored.

        Raises TransientError; the next sweep then finds the same requests.
        """
        late = self.deadlines.passed(self.now_ms(), self.most_requests)
        if not late:
            return 0
        self.producer.send([self._order(key) for key in late])
        # Only now: an order that is not stored must be sent again, and one that is stored twice is harmless.
        self.deadlines.remove(late)
        DEADLINES_EXPIRED.inc(len(late))
        log.info("deadlines_passed", requests=len(late))
        return len(late)

    def _order(self, key: JobKey) -> OutboundRecord:
        view = self.views.read(key)
        order = JobControl(
            **key._asdict(),
            action=ControlAction.EXPIRE,
            cause="deadline_passed",
            message="the deadline passed before the translation was finished",
            field="deadline",
            requested_by="repair",
            job=header_of(view) if view else None,
            at=self.now_ms(),
        )
        headers = {"schema": b"JobControl"}
        return OutboundRecord(CONTROL, key.encode(), self.codec.encode(order), headers)
