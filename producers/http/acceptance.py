"""From a submission to a durable request: judged, its pair served, large text put aside, stored."""

import re
from collections.abc import Sequence
from dataclasses import replace

from pydantic import BaseModel, Field

from connectors.telemetry.metrics import REQUESTS_ACCEPTED
from producers.http.caller import Caller
from producers.http.judging import SubmissionContext, ValidSubmission, validate
from producers.http.ports import Ports
from producers.http.settings import HttpLimits
from producers.http.submission import Submission
from schemas.errors import PermanentError, TransientError
from schemas.languages import AUTO, parse_language
from schemas.messages import TranslationRequest
from schemas.records import Headers

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
