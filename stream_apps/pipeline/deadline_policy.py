"""Decide what a passed deadline means, and which waiting batches need no translation any more. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from schemas.errors import PermanentError
from schemas.messages import SegmentBatch, TranslationRequest
from schemas.priorities import Priority
from schemas.slots import RequestRevision
from stream_apps.pipeline.stores import AnsweredRequests

ANSWERED, EXPIRED = "answered", "expired"
_ASKS_AFTER_MS = 2000


class DeadlinePolicy(StrEnum):
    """EXPIRE: the request ends as EXPIRED and its work is skipped. SERVE: it is translated all the same."""

    EXPIRE = "expire"
    SERVE = "serve"


def with_deadline_policy(
    request: TranslationRequest, priority: Priority, policies: Mapping[Priority, DeadlinePolicy]
) -> TranslationRequest:
    """Return the request as later stages see it: with a deadline only if it ends the request.

    The request's own `late_policy` wins over that of its priority. Raises PermanentError for an unknown one.
    """
    chosen = request.late_policy
    policy = policies.get(priority, DeadlinePolicy.EXPIRE) if chosen is None else _policy(chosen)
    return request if policy is DeadlinePolicy.EXPIRE else replace(request, deadline=None)


@dataclass(frozen=True)
class SkipPolicy:
    """Skips batches whose request is answered, above all by a cancellation, or whose deadline has passed.

    No answer depends on it: assembly ignores the batches of answered requests, and the order to answer an expired
    one comes from stream_apps/repair.
    """

    answered: AnsweredRequests
    asks_after_ms: int = _ASKS_AFTER_MS

    def reasons_to_skip(self, batches: Sequence[SegmentBatch], now_ms: int) -> list[str | None]:
        """Return ANSWERED, EXPIRED or None for each batch.

        The store is not asked about the only batch of a request that has just come: hardly anybody is so quick to
        cancel, and nothing else answers it.
        """
        asked = [_request_of(batch) for batch in batches if self._may_be_answered(batch, now_ms)]
        answered = self.answered.among(asked) if asked else set()
        return [
            ANSWERED if _request_of(batch) in answered else EXPIRED if _is_late(batch, now_ms) else None
            for batch in batches
        ]

    def _may_be_answered(self, batch: SegmentBatch, now_ms: int) -> bool:
        return batch.job.batches > 1 or now_ms - batch.job.accepted_at >= self.asks_after_ms


def _policy(value: str) -> DeadlinePolicy:
    try:
        return DeadlinePolicy(value)
    except ValueError:
        known = ", ".join(DeadlinePolicy)
        raise PermanentError(
            "bad_late_policy",
            f"late_policy is {value[:40]!r}, which is none of {known}",
            field="late_policy",
            limit=known,
            cure=f"send one of {known}, or leave it out",
        ) from None


def _request_of(batch: SegmentBatch) -> RequestRevision:
    return RequestRevision(batch.key, batch.job.revision)


def _is_late(batch: SegmentBatch, now_ms: int) -> bool:
    # with_deadline_policy has taken the deadline from requests that are served late.
    return batch.job.deadline is not None and batch.job.deadline <= now_ms
