"""The JSON body of a submission, and how it becomes a request that Kafka has stored.

A request is checked here by the same rules as in intake, so that a caller hears of a mistake at once and not
from a failed job. Only what JSON and HTTP headers add is decided here: the id, the tenant, the priority.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StrictInt
from pydantic_core import PydanticCustomError

from connectors.telemetry.metrics import REQUESTS_ACCEPTED
from producers.http.caller import Caller
from producers.http.ports import Models, Ports, Texts
from schemas.catalogue import Catalogue, unsupported_pair
from schemas.errors import DragomanError, PermanentError, TransientError
from schemas.ids import event_id, new_request_id
from schemas.languages import AUTO
from schemas.messages import TranslationRequest
from schemas.priorities import Priority, parse_priority, priority_of_score
from schemas.records import Headers
from schemas.shares import Decision, Wish
from stream_apps.pipeline.deadline_policy import DeadlinePolicy
from stream_apps.pipeline.request_rules import RequestedLanguages, RequestLimits, check_identity, check_request

_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_PREFER_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,6})", re.IGNORECASE)
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
# Characters of an unknown priority that its refusal quotes.
_LONGEST_PRIORITY = 40


def _encodable(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise PydanticCustomError("string_unicode", "should be Unicode without lone surrogates") from None
    return value


Text = Annotated[str, AfterValidator(_encodable)]
RequestId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:~-]{0,127}$")]
Tenant = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
Glossary = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$")]


class Submission(BaseModel):
    """A text to be translated, and how."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"text": "Good morning.", "source_language": "en", "target_language": "pt"}]
        },
    )

    text: Text = Field(description="What to translate.")
    source_language: str = Field(default=AUTO, description="BCP-47, or auto to have it detected.")
    target_language: str = Field(description="BCP-47.")
    priority: str | StrictInt = Field(
        default=Priority.STANDARD.value,
        description="critical, high or standard, in any case; or a score: 90-100 critical, 70-89 high, 0-69 "
        "standard.",
    )
    request_id: RequestId | None = Field(
        default=None, description="Chosen by the caller, unique; sending the same request again is harmless."
    )
    tenant: Tenant | None = Field(default=None, description="Tenant that asks and pays.")
    glossaries: list[Glossary] = Field(default_factory=list, description="Glossaries, each with its version.")
    do_not_translate: list[Text] = Field(
        default_factory=list, description="Words and names that stay as they are."
    )
    engine_options: dict[Text, Text] = Field(default_factory=dict, description="Options of the engine.")
    deadline: AwareDatetime | None = Field(
        default=None, description="After this moment a result is useless; RFC 3339 with an offset."
    )
    late_policy: DeadlinePolicy | None = Field(
        default=None, description="When the deadline has passed: expire or serve; else as the deployment says."
    )
    metadata: dict[Text, Text] = Field(default_factory=dict, description="Echoed in the result.")
    labels: dict[Text, Text] = Field(
        default_factory=dict, description="For the reports of usage and cost; echoed in the result."
    )
    content_type: str = Field(default="text/plain", description="Media type of the text.")


class Envelope(BaseModel):
    """The HTTP headers that matter for a submission."""

    idempotency_key: str | None = Field(default=None, description="The same key gives the same job.")
    prefer: str | None = Field(default=None, description="RFC 7240; `wait=30` waits so many seconds.")
    traceparent: str | None = Field(default=None, description="W3C trace context, carried on through Kafka.")


@dataclass(frozen=True)
class SubmissionContext:
    """Everything beside its body that decides on a submission. `now_ms`: milliseconds since the epoch."""

    caller: Caller
    limits: RequestLimits
    now_ms: int
    idempotency_key: str | None = None


@dataclass(frozen=True)
class ValidSubmission:
    """A submission as the request that may go to Kafka. `is_named`: by the caller, so it may be a repeat.

    `wish` is what it took of its tenant's share; `rate` says how many requests may follow, where that is limited.
    """

    request: TranslationRequest
    priority: Priority
    languages: RequestedLanguages
    is_named: bool = True
    wish: Wish | None = None
    rate: Decision | None = None


async def prepare(
    submission: Submission, envelope: Envelope, caller: Caller, ports: Ports, limits: RequestLimits
) -> ValidSubmission:
    """Return the request as it may go to Kafka; a large text is stored.

    Raises PermanentError for a bad submission, TooManyRequestsError for one too many, BudgetUsedUpError,
    TransientError when there is no room or a store is away.
    """
    valid = validate(submission, SubmissionContext(caller, limits, ports.now_ms(), envelope.idempotency_key))
    ports.backpressure.check(valid.priority)
    _check_pair(valid.languages, await _served(ports.models))
    await ports.budgets.check(valid.request.tenant)
    # Last: what is refused for another reason takes nothing.
    shares = ports.accounts.limits_of(valid.request.tenant)
    wish = Wish(valid.request.key, len(submission.text), shares, valid.is_named)
    valid = replace(valid, wish=wish, rate=await ports.shares.take(wish))
    async with _given_back_on_failure(valid, ports):
        return replace(valid, request=await _without_large_text(valid.request, ports.texts))


async def send(valid: ValidSubmission, envelope: Envelope, ports: Ports) -> None:
    """Return once Kafka has stored the request. Raises TransientError when nothing is promised."""
    async with _given_back_on_failure(valid, ports):
        await ports.requests.append(valid.request, valid.priority, _headers(valid, envelope))
    ports.backpressure.count(valid.priority)
    REQUESTS_ACCEPTED.labels(valid.priority.value).inc()


@asynccontextmanager
async def _given_back_on_failure(valid: ValidSubmission, ports: Ports) -> AsyncIterator[None]:
    try:
        yield
    except DragomanError:
        if valid.wish:
            await ports.shares.give_back(valid.wish)
        raise


def validate(submission: Submission, context: SubmissionContext) -> ValidSubmission:
    """Build the request and check it as intake will. Raises PermanentError for the first thing wrong."""
    priority = _priority(submission.priority)
    request = _request(submission, context, priority)
    check_identity(request, context.limits)
    languages = check_request(request, priority, context.limits, context.now_ms)
    source, target = str(languages.source or AUTO), str(languages.target)
    is_named = bool(submission.request_id or context.idempotency_key)
    return ValidSubmission(
        replace(request, source_language=source, target_language=target), priority, languages, is_named
    )


def preferred_wait(prefer: str | None) -> int:
    """Read the seconds of a Prefer header, 0 where it asks for no wait (RFC 7240, section 4.3)."""
    found = _PREFER_WAIT.search(prefer or "")
    return int(found[1]) if found else 0


def _request(submission: Submission, context: SubmissionContext, priority: Priority) -> TranslationRequest:
    tenant = context.caller.tenant_for(submission.tenant)
    return TranslationRequest(
        request_id=_request_id(submission.request_id, context.idempotency_key, tenant),
        tenant=tenant,
        source_language=submission.source_language,
        target_language=submission.target_language,
        text=submission.text,
        content_type=submission.content_type,
        priority=priority.value,
        glossaries=submission.glossaries,
        do_not_translate=submission.do_not_translate,
        engine_options=submission.engine_options,
        submitted_at=context.now_ms,
        submitted_by=context.caller.credential_id or None,
        deadline=_milliseconds(submission.deadline),
        late_policy=submission.late_policy,
        metadata=submission.metadata,
        labels=submission.labels,
    )


def _request_id(chosen: str | None, key: str | None, tenant: str) -> str:
    if chosen and key:
        raise PermanentError(
            "two_ids",
            "request_id is given, and the header Idempotency-Key too",
            field="request_id",
            limit="one of them",
            cure="leave one of them out",
        )
    if key is None:
        return chosen or new_request_id()
    if not _IDEMPOTENCY_KEY.fullmatch(key):
        raise PermanentError(
            "bad_idempotency_key",
            "Idempotency-Key is malformed",
            field="Idempotency-Key",
            limit="1 to 255 printable ASCII characters without spaces",
            cure="send a UUID",
        )
    return event_id("http", tenant, key)


def _priority(value: str | int) -> Priority:
    try:
        return (
            priority_of_score(value)
            if isinstance(value, int)
            else parse_priority(value[:_LONGEST_PRIORITY].lower())
        )
    except PermanentError as error:
        # A score has no field of its own here.
        raise PermanentError(
            error.cause, error.message, field="priority", limit=error.limit, cure=error.cure
        ) from None


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)


def _check_pair(languages: RequestedLanguages, served: Catalogue) -> None:
    # While no worker has announced a pair, every pair may pass.
    if languages.are_one:
        return
    if served and not served.serves(languages.source, languages.target):
        raise unsupported_pair(str(languages.source or AUTO), str(languages.target), served)


async def _served(models: Models) -> Catalogue:
    try:
        return await models.catalogue()
    except TransientError:
        # Intake checks the pair again; not knowing it here is no reason to refuse work.
        return Catalogue()


async def _without_large_text(request: TranslationRequest, texts: Texts) -> TranslationRequest:
    text = request.text or ""
    if len(text.encode()) <= texts.max_inline_bytes:
        return request
    return replace(request, text=None, content_ref=await texts.keep(request.key, text))


def _headers(valid: ValidSubmission, envelope: Envelope) -> Headers:
    headers = {
        "schema": b"TranslationRequest",
        "tenant": valid.request.tenant.encode(),
        "priority": valid.priority.encode(),
    }
    if envelope.traceparent and _TRACEPARENT.fullmatch(envelope.traceparent):
        headers["traceparent"] = envelope.traceparent.encode()
    return headers
