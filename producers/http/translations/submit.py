"""How a submission becomes a request that Kafka has stored.

A request is checked here by the same rules as in intake, so that a caller hears of a mistake at once and not
from a failed job. Only what JSON and HTTP headers add is decided here: the id, the tenant, the priority.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import structlog

from connectors.telemetry.metrics import REQUESTS_ACCEPTED
from producers.http.admission.caller import Caller
from producers.http.ports import Models, Ports, Texts
from producers.http.tracing import name_in_log, submit_span
from producers.http.translations.kept_source import keep_source
from producers.http.translations.submission import Envelope, Submission
from producers.http.translations.text_ids import with_text_ids
from producers.http.translations.wishes import with_wishes
from schemas.catalogue import Catalogue, unsupported_pair
from schemas.errors import DragomanError, PermanentError, TransientError
from schemas.ids import event_id, new_request_id
from schemas.languages import AUTO
from schemas.messages import TranslationRequest, changed
from schemas.priorities import Priority, parse_priority, priority_of_score
from schemas.records import TRACE_HEADER, Headers
from schemas.shares import Decision, Wish
from stream_apps.pipeline.request_limits import RequestLimits
from stream_apps.pipeline.request_rules import RequestedLanguages, check_identity, check_request

_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_PREFER_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,6})", re.IGNORECASE)
log = structlog.get_logger()

# Characters of an unknown priority that its refusal quotes.
_LONGEST_PRIORITY = 40


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

    `wish` is what it needs of its tenant's share, `taken_at_ms` when it took that, None where it took nothing;
    `rate` says how many requests may follow, where that is limited.
    """

    request: TranslationRequest
    priority: Priority
    languages: RequestedLanguages
    is_named: bool = True
    wish: Wish | None = None
    taken_at_ms: int | None = None
    rate: Decision | None = None


async def prepare(
    submissions: Sequence[Submission], envelope: Envelope, caller: Caller, ports: Ports, limits: RequestLimits
) -> list[ValidSubmission]:
    """Return the requests as they may go to Kafka, all or none of them; large texts are stored.

    Raises PermanentError for a bad submission, TooManyRequestsError for one too many, BudgetUsedUpError,
    TransientError when there is no room or a store is away.
    """
    context = SubmissionContext(caller, limits, ports.now_ms(), envelope.idempotency_key)
    asked = [validate(one, context) for one in submissions]
    name_in_log(asked[0].request.key)
    await check_admission(asked, ports)
    taken: list[ValidSubmission] = []
    try:
        for one in asked:
            # One by one, as each that is taken must be known where the next is refused.
            taken += [await with_share(one, ports)]
        for submission, one in zip(submissions, taken, strict=True):
            if submission.keep_source:
                await keep_source(one.request, ports.documents)
        return [await _without_large_text(one, ports.texts) for one in taken]
    except DragomanError:
        await give_back(taken, ports)
        raise


async def check_admission(asked: Sequence[ValidSubmission], ports: Ports) -> None:
    """Check all that may refuse requests but their shares: what is refused takes nothing.

    Raises PermanentError, BudgetUsedUpError among them, and TransientError when there is no room or Kafka is away.
    """
    await ports.glossaries.check((one.request, one.languages) for one in asked)
    served = await _served_pairs(ports.models)
    for one in asked:
        ports.backpressure.check(ports.backpressure.lane_of(one.request, one.priority))
        _check_pair(one.languages, served)
        await ports.budgets.check(one.request.tenant)


async def with_share(valid: ValidSubmission, ports: Ports) -> ValidSubmission:
    """Take what the request needs of its tenant's share. Raises TooManyRequestsError."""
    request = valid.request
    characters = sum(map(len, request.texts)) + len(request.text or "")
    wish = Wish(request.key, characters, ports.accounts.limits_of(request.tenant), valid.is_named)
    taken = await ports.shares.take(wish)
    return replace(valid, wish=wish, taken_at_ms=taken.at_ms, rate=taken.rate if taken.rate.limit else None)


async def send(valid: ValidSubmission, envelope: Envelope, ports: Ports) -> None:
    """Return once Kafka has stored the request. Raises TransientError when nothing is promised."""
    span = submit_span(ports.tracer, envelope.traceparent, valid.request, valid.priority)
    try:
        await ports.requests.append(valid.request, valid.priority, _headers(valid, span.header))
    except DragomanError as error:
        span.end(type(error).__name__)
        await give_back([valid], ports)
        raise
    span.end()
    log.debug("request_stored", job=valid.request.key, trace={TRACE_HEADER: span.header})
    ports.backpressure.count(valid.priority)
    REQUESTS_ACCEPTED.labels(valid.priority.value).inc()


async def give_back(taken: Iterable[ValidSubmission], ports: Ports) -> None:
    """Give back what requests took that are not sent."""
    for one in taken:
        if one.wish:
            await ports.shares.give_back(one.wish, one.taken_at_ms)


def validate(submission: Submission, context: SubmissionContext) -> ValidSubmission:
    """Build the request and check it as intake will. Raises PermanentError for the first thing wrong."""
    priority = chosen_priority(submission.priority)
    return checked(_request(submission, context, priority), priority, context, submission.request_id)


def checked(
    request: TranslationRequest, priority: Priority, context: SubmissionContext, chosen_id: str | None
) -> ValidSubmission:
    """Check a request as intake will, and write its languages canonically. Raises PermanentError."""
    check_identity(request, context.limits)
    languages = check_request(request, priority, context.limits, context.now_ms)
    written = str(languages.source or AUTO), str(languages.target)
    if written != (request.source_language, request.target_language):
        request = changed(request, source_language=written[0], target_language=written[1])
    return ValidSubmission(request, priority, languages, bool(chosen_id or context.idempotency_key))


def preferred_wait(prefer: str | None) -> int:
    """Read the seconds of a Prefer header, 0 where it asks for no wait (RFC 7240, section 4.3)."""
    found = _PREFER_WAIT.search(prefer or "")
    return int(found[1]) if found else 0


def _request(submission: Submission, context: SubmissionContext, priority: Priority) -> TranslationRequest:
    tenant = context.caller.tenant_for(submission.tenant)
    request = TranslationRequest(
        request_id=request_id_of(submission.request_id, context.idempotency_key, tenant),
        tenant=tenant,
        source_language=submission.source_language,
        target_language=_target(submission),
        text=submission.text,
        texts=[item.text for item in submission.texts or ()],
        content_type=submission.content_type,
        priority=priority.value,
        submitted_at=context.now_ms,
        submitted_by=context.caller.credential_id or None,
    )
    wished = with_wishes(request, submission)
    if not submission.texts:
        return wished
    return changed(wished, metadata=with_text_ids(submission.metadata, submission.texts))


def _target(submission: Submission) -> str:
    if submission.target_language is not None:
        return submission.target_language
    raise PermanentError(
        "no_target",
        "neither target_language nor targets is set",
        field="target_language",
        limit="one of target_language and targets",
        cure="name the language to translate into",
    )


def request_id_of(chosen: str | None, key: str | None, tenant: str) -> str:
    """Return the id that the caller chose, or that its Idempotency-Key stands for, or else a new one.

    Raises PermanentError for both at once, and for a malformed key.
    """
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


def chosen_priority(value: str | int) -> Priority:
    """Return the priority of a name or a score. Raises PermanentError."""
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


def _check_pair(languages: RequestedLanguages, served: Catalogue) -> None:
    """Check that some worker translates the pair; while none has announced any, every pair may pass.

    Raises PermanentError.
    """
    if languages.are_one:
        return
    if served and not served.serves(languages.source, languages.target):
        raise unsupported_pair(str(languages.source or AUTO), str(languages.target), served)


async def _served_pairs(models: Models) -> Catalogue:
    """Return what ready workers have announced; nothing where that cannot be known."""
    try:
        return await models.catalogue()
    except TransientError:
        # Intake checks the pair again; not knowing it here is no reason to refuse work.
        return Catalogue()


async def _without_large_text(valid: ValidSubmission, texts: Texts) -> ValidSubmission:
    request = valid.request
    size = sum(len(text.encode()) for text in (request.text or "", *request.texts))
    if size <= texts.max_inline_bytes:
        return valid
    if request.text is None:
        raise PermanentError(
            "texts_too_large",
            f"the texts have {size} bytes of UTF-8",
            field="texts",
            limit=f"{texts.max_inline_bytes} bytes in one request",
            cure="split them into several requests",
        )
    ref = await texts.keep(request.key, request.text)
    return replace(valid, request=changed(request, text=None, content_ref=ref))


def _headers(valid: ValidSubmission, traceparent: bytes) -> Headers:
    headers = {
        "schema": b"TranslationRequest",
        "tenant": valid.request.tenant.encode(),
        "priority": valid.priority.encode(),
    }
    if traceparent:
        headers[TRACE_HEADER] = traceparent
    return headers
