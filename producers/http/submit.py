"""From a submission to a request, as far as that can be judged without the pipeline. Pure.

The limits repeat those of intake, so that a caller hears of them at once and not from a failed job.

From a submission to a durable request: judged, its pair served, large text put aside, stored.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import BaseModel, Field

from connectors.telemetry.metrics import REQUESTS_ACCEPTED
from producers.http.caller import Caller
from producers.http.ports import Ports
from producers.http.settings import HttpLimits
from producers.http.submission import Submission
from schemas.errors import PermanentError, TransientError
from schemas.ids import event_id, new_request_id
from schemas.languages import AUTO, parse_language
from schemas.messages import TranslationRequest
from schemas.priorities import Priority, parse_priority, priority_of_score
from schemas.records import Headers
from schemas.topics import DAY_MS

_OPTION_NAME = re.compile(r"[a-z][a-z0-9_.]{0,63}")
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_LONGEST_PRIORITY = 40


@dataclass(frozen=True)
class ValidSubmission:
    """A submission that may go to Kafka."""

    request: TranslationRequest
    priority: Priority


@dataclass(frozen=True)
class SubmissionContext:
    """What a submission is judged by, beside its own words. `now_ms`: milliseconds since the epoch."""

    caller: Caller
    limits: HttpLimits
    now_ms: int
    idempotency_key: str | None = None


def validate(submission: Submission, circumstances: SubmissionContext) -> ValidSubmission:
    """Raises PermanentError for the first thing wrong, with field, limit and cure."""
    limits, now_ms = circumstances.limits, circumstances.now_ms
    tenant = circumstances.caller.tenant_for(submission.tenant)
    source, target = _languages(submission)
    priority = _priority(submission.priority)
    request = TranslationRequest(
        request_id=_request_id(submission.request_id, circumstances.idempotency_key, tenant),
        tenant=tenant,
        source_language=source,
        target_language=target,
        text=_text(submission.text, limits),
        content_type=_content_type(submission.content_type, limits),
        priority=priority.value,
        glossary=submission.glossary,
        options=_options(submission.options, limits),
        submitted_at=now_ms,
        deadline=_deadline_ms(submission.deadline, limits, now_ms),
        metadata=_metadata(submission.metadata, limits),
    )
    return ValidSubmission(request, priority)


def _text(text: str, limits: HttpLimits) -> str:
    longest = limits.max_text_characters
    if not text.strip():
        raise _refusal(
            "empty_text", "text", "holds nothing to translate", "1 character", "send text that is not blank"
        )
    if len(text) > longest:
        message, limit = f"has {len(text)} characters", f"{longest} characters"
        raise _refusal("text_too_long", "text", message, limit, "split it into several requests")
    return text


def _languages(submission: Submission) -> tuple[str, str]:
    target = str(parse_language(submission.target_language, "target_language"))
    if submission.source_language == AUTO:
        return AUTO, target
    source = str(parse_language(submission.source_language, "source_language"))
    if source == target:
        limit = "another language than the source"
        raise _refusal(
            "same_language", "target_language", f"is {target}, like the source", limit, "send another one"
        )
    return source, target


def _priority(value: str | int) -> Priority:
    try:
        return priority_of_score(value) if isinstance(value, int) else parse_priority(value[:_LONGEST_PRIORITY])
    except PermanentError as error:
        # A score has no field of its own here.
        raise PermanentError(
            error.cause, error.message, field="priority", limit=error.limit, cure=error.cure
        ) from None


def _content_type(value: str, limits: HttpLimits) -> str:
    if value not in limits.content_types:
        known = ", ".join(limits.content_types)
        raise _refusal(
            "unsupported_content_type", "content_type", "is not supported", known, f"send one of {known}"
        )
    return value


def _options(options: dict[str, str], limits: HttpLimits) -> dict[str, str]:
    longest = limits.max_option_characters
    is_malformed = any(
        not _OPTION_NAME.fullmatch(name) or len(value) > longest or "\0" in value
        for name, value in options.items()
    )
    if is_malformed or len(options) > limits.max_options:
        limit = f"{limits.max_options} options, names [a-z0-9_.], values of {longest} characters"
        raise _refusal(
            "bad_options", "options", "are too many or malformed", limit, "leave out what is not needed"
        )
    return options


def _metadata(metadata: dict[str, str], limits: HttpLimits) -> dict[str, str]:
    size = sum(len(part.encode()) for entry in metadata.items() for part in entry)
    if len(metadata) > limits.max_metadata_entries or size > limits.max_metadata_bytes:
        message = f"has {len(metadata)} entries and {size} bytes"
        limit = f"{limits.max_metadata_entries} entries and {limits.max_metadata_bytes} bytes"
        raise _refusal(
            "metadata_too_large", "metadata", message, limit, "keep the rest with you, under the job_id"
        )
    return metadata


def _deadline_ms(deadline: datetime | None, limits: HttpLimits, now_ms: int) -> int | None:
    if deadline is None:
        return None
    deadline_ms = int(deadline.timestamp() * 1000)
    if not now_ms < deadline_ms <= now_ms + limits.max_deadline_days * DAY_MS:
        limit = f"in the future, within {limits.max_deadline_days} days"
        raise _refusal(
            "bad_deadline", "deadline", f"is {deadline.isoformat()}", limit, "send another one, or none"
        )
    return deadline_ms


def _request_id(chosen: str | None, key: str | None, tenant: str) -> str:
    if chosen and key:
        message = "is given, and the header Idempotency-Key too"
        raise _refusal("two_ids", "request_id", message, "one of them", "leave one of them out")
    if key is None:
        return chosen or new_request_id()
    if not _IDEMPOTENCY_KEY.fullmatch(key):
        limit = "1 to 255 printable ASCII characters without spaces"
        raise _refusal("bad_idempotency_key", "Idempotency-Key", "is malformed", limit, "send a UUID")
    return event_id("http", tenant, key)


def _refusal(cause: str, field: str, message: str, limit: str, cure: str) -> PermanentError:
    return PermanentError(cause, f"{field} {message}", field=field, limit=limit, cure=cure)


_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class Envelope(BaseModel):
    """The HTTP headers that matter here."""

    idempotency_key: str | None = Field(default=None, description="The same key gives the same job.")
    traceparent: str | None = Field(default=None, description="W3C trace context, carried on through Kafka.")


async def accept(
    submission: Submission, envelope: Envelope, caller: Caller, ports: Ports, limits: HttpLimits
) -> ValidSubmission:
    """Returns once Kafka has it. Raises PermanentError, or TransientError: then nothing is promised."""
    judged = validate(submission, SubmissionContext(caller, limits, ports.now_ms(), envelope.idempotency_key))
    # The place for limits of the caller too: its tenant is known, and nothing was sent yet.
    ports.admission.check(judged.priority)
    check_pair(judged.request, await _pairs(ports))
    request = await _without_large_text(judged.request, ports, limits)
    await ports.requests.append(request, judged.priority, _headers(judged, envelope))
    ports.admission.accepted(judged.priority)
    REQUESTS_ACCEPTED.labels(judged.priority.value).inc()
    return judged


def check_pair(request: TranslationRequest, served: Sequence[str]) -> None:
    """Raises PermanentError for a pair that no worker serves. While nobody has announced, all may pass."""
    if not served or any(_serves(pair, request) for pair in served):
        return
    pairs = ", ".join(sorted(served))
    raise PermanentError(
        "unsupported_pair",
        f"nobody translates from {request.source_language} into {request.target_language}",
        field="target_language",
        limit=pairs,
        cure=f"ask for one of {pairs}",
    )


def _serves(pair: str, request: TranslationRequest) -> bool:
    # A model for pt serves pt-BR too, as intake decides it.
    target = parse_language(request.target_language, "target_language")
    if request.source_language == AUTO:
        return pair.endswith((f"-{target}", f"-{target.language}"))
    source = parse_language(request.source_language, "source_language")
    return pair in (f"{source}-{target}", f"{source.language}-{target}", f"{source.language}-{target.language}")


async def _pairs(ports: Ports) -> Sequence[str]:
    try:
        return await ports.models.pairs()
    except TransientError:
        # Intake judges the pair again; not knowing it here is no reason to refuse work.
        return ()


async def _without_large_text(request: TranslationRequest, ports: Ports, limits: HttpLimits) -> TranslationRequest:
    text = request.text or ""
    if len(text.encode()) <= limits.max_inline_bytes:
        return request
    return replace(request, text=None, content_ref=await ports.texts.keep(request.request_id, text))


def _headers(judged: ValidSubmission, envelope: Envelope) -> Headers:
    headers = {
        "schema": b"TranslationRequest",
        "tenant": judged.request.tenant.encode(),
        "priority": judged.priority.encode(),
    }
    if envelope.traceparent and _TRACEPARENT.fullmatch(envelope.traceparent):
        headers["traceparent"] = envelope.traceparent.encode()
    return headers
