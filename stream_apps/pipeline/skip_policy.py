"""Which waiting batches still matter to somebody."""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.messages import SegmentBatch
from schemas.slots import RequestRevision
from stream_apps.pipeline.stores import AnsweredRequests

ANSWERED, EXPIRED = "answered", "expired"


@dataclass(frozen=True)
class SkipPolicy:
    """A batch is skipped when its request is answered, above all by a cancellation, or when its deadline passed.

    Whoever answers does not depend on it: assembly ignores the batches of answered requests, and the order to
    answer an expired one comes from the sweeper (stream_apps/repair).
    """

    answered: AnsweredRequests

    def reasons_to_skip(self, batches: Sequence[SegmentBatch], now_ms: int) -> list[str | None]:
        """ANSWERED, EXPIRED or None for each."""
        answered = self.answered.among([_request_revision(batch) for batch in batches])
        return [
            ANSWERED if _request_revision(batch) in answered else EXPIRED if _is_late(batch, now_ms) else None
            for batch in batches
        ]


def _request_revision(batch: SegmentBatch) -> RequestRevision:
    return RequestRevision(batch.request_id, batch.job.revision)


def _is_late(batch: SegmentBatch, now_ms: int) -> bool:
    # Requests that are served late carry no deadline here (stream_apps/pipeline/deadline_policy.py).
    return batch.job.deadline is not None and batch.job.deadline <= now_ms
