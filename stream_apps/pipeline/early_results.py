"""Build the result of a request that ends without a text: cancelled, expired, refused, undeliverable. Pure."""

from dataclasses import replace

from schemas.errors import PermanentError
from schemas.events import JobControl
from schemas.message_parts import Hole, Suspect
from schemas.messages import Job, TranslationResult
from schemas.states import ControlAction, ResultStatus
from schemas.validity import LONGEST_REMARK, check_job, check_key, check_length
from stream_apps.pipeline.join import echoed, seconds_since_acceptance

_STATUSES = {
    ControlAction.CANCEL: ResultStatus.CANCELLED,
    ControlAction.EXPIRE: ResultStatus.EXPIRED,
    ControlAction.FAIL: ResultStatus.FAILED,
    ControlAction.ERASE: ResultStatus.CANCELLED,
}


def check_order(order: JobControl) -> None:
    """Check that an answer can echo the order. Raise PermanentError naming the field that is out of bounds."""
    check_key(order.key)
    check_length("message", order.message, LONGEST_REMARK)
    for field in ("cause", "field"):
        check_length(field, getattr(order, field) or "")
    if order.job:
        check_job(order.job)


def early_result(order: JobControl, job: Job, now_ms: int) -> TranslationResult:
    """Build the answer without a text. Nothing was delivered, so nothing is billed: source_words is 0."""
    status = _STATUSES[order.action]
    return TranslationResult(
        **order.key._asdict(),
        **echoed(job),
        status=status,
        error_cause=order.cause or status.lower(),
        error_message=order.message or None,
        error_field=order.field,
        segments=job.segments,
        timings={"total": seconds_since_acceptance(job, now_ms)},
        completed_at=now_ms,
    )


def without_text(result: TranslationResult, now_ms: int) -> TranslationResult:
    """Return an answer as it stays when its request is erased: what identifies it and what was billed, no text.

    Neither names of files, references and digests, nor what the caller or a model wrote into it; of holes and
    suspects their number and causes.
    """
    return replace(
        result,
        text=None,
        texts=(),
        content_ref=None,
        content_sha256=None,
        file_name=None,
        units_ref=None,
        holes=tuple(Hole(segment=one.segment, cause=one.cause) for one in result.holes),
        suspects=tuple(Suspect(segment=one.segment, cause=one.cause) for one in result.suspects),
        warnings=tuple(replace(one, place="") for one in result.warnings),
        error_message=None,
        metadata={},
        callback=None,
        erased_at=now_ms,
    )


def withheld(result: TranslationResult, error: PermanentError) -> TranslationResult:
    """Turn a result whose text cannot be handed over into one that is FAILED and not billed."""
    return replace(
        result,
        status=ResultStatus.FAILED,
        text=None,
        texts=(),
        content_ref=None,
        holes=(),
        suspects=(),
        error_cause=error.cause,
        error_message=f"{error.message}: {error.cure}" if error.cure else error.message,
        error_field=error.field,
        source_words=0,
        cached_words=0,
        target_words=0,
        target_characters=0,
    )
