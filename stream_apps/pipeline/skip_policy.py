"""Decides which waiting batches need no translation any more. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.messages import SegmentBatch
from schemas.slots import RequestRevision
from stream_apps.pipeline.stores import AnsweredRequests

ANSWERED, EXPIRED = "answered", "expired"


@dataclass(frozen=True)
class SkipPolicy:
    """Skips batches whose request is answered, above all by a cancellation, or whose deadline has passed.

    No answer depends on it: assembly ignores the batches of answered requests, and the order to answer an expired
    one comes from stream_apps/repair.
    """

    answered: AnsweredRequests

    def reasons_to_skip(self, batches: Sequence[SegmentBatch], now_ms: int) -> list[str | None]:
        """Return ANSWERED, EXPIRED or None for each batch."""
        answered = self.answered.among([_request_of(batch) for batch in batches])
        return [
            ANSWERED if _request_of(batch) in answered else EXPIRED if _is_late(batch, now_ms) else None
            for batch in batches
        ]


def _request_of(batch: SegmentBatch) -> RequestRevision:
    return RequestRevision(batch.request_id, batch.job.revision)


def _is_late(batch: SegmentBatch, now_ms: int) -> bool:
    # Requests that are served late carry no deadline here (stream_apps/pipeline/deadline_policy.py).
    return batch.job.deadline is not None and batch.job.deadline <= now_ms
