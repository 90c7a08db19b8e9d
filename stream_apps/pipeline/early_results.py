"""The result of a request that ends without its text: cancelled, expired, refused, undeliverable. Pure."""

from dataclasses import replace

from schemas.errors import PermanentError
from schemas.events import JobControl
from schemas.messages import Job, TranslationResult
from schemas.validity import LONGEST_REMARK, check_id, check_job, check_length
from stream_apps.pipeline.join import echoed, seconds_since_acceptance

_STATUSES = {"CANCEL": "CANCELLED", "EXPIRE": "EXPIRED", "FAIL": "FAILED"}
_CAUSES = {"CANCEL": "cancelled", "EXPIRE": "expired", "FAIL": "failed"}


def check_order(order: JobControl) -> None:
    """Raises PermanentError for an action that nobody knows, and for what no answer could echo."""
    check_id("request_id", order.request_id)
    check_length("message", order.message, LONGEST_REMARK)
    for field in ("cause", "field"):
        check_length(field, getattr(order, field) or "")
    if order.job:
        check_job(order.job)
    if order.action not in _STATUSES:
        known = ", ".join(_STATUSES)
        raise PermanentError(
            "unknown_action",
            f"action is {order.action!r}, which is none of {known}",
            field="action",
            limit=known,
            cure=f"send one of {known}",
        )


def early_result(order: JobControl, job: Job, now_ms: int) -> TranslationResult:
    """The answer without a text. Nothing was delivered, so nothing is billed: source_words is 0."""
    return TranslationResult(
        request_id=order.request_id,
        **echoed(job),
        status=_STATUSES[order.action],
        error_cause=order.cause or _CAUSES[order.action],
        error_message=order.message or None,
        error_field=order.field,
        segments=job.segments,
        timings={"total": seconds_since_acceptance(job, now_ms)},
        completed_at=now_ms,
    )


def withheld(result: TranslationResult, error: PermanentError) -> TranslationResult:
    """The same result where its text cannot be handed over: FAILED, and not billed."""
    return replace(
        result,
        status="FAILED",
        text=None,
        content_ref=None,
        holes=(),
        error_cause=error.cause,
        error_message=f"{error.message}: {error.cure}" if error.cure else error.message,
        error_field=error.field,
        source_words=0,
        target_words=0,
        target_characters=0,
    )
