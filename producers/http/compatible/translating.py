"""Translate some texts while the caller waits: one request, as POST /api/v1/translations makes it."""

from collections.abc import Sequence
from contextlib import suppress

from fastapi import Request

from producers.http.caller import Caller
from producers.http.calls import prepared_call, sent_call
from producers.http.compatible.errors import TranslationFailedError
from producers.http.jobs import cancel
from producers.http.ports import Ports
from producers.http.settings import HttpLimits
from producers.http.submission import Envelope, Submission, TextItem
from schemas.errors import DragomanError, TransientError
from schemas.ids import JobKey
from schemas.messages import TranslationResult
from schemas.states import ResultStatus
from stream_apps.pipeline.language_detection import Detection

_RETRY_AFTER_SECONDS = 5


async def translated_texts(
    request: Request, caller: Caller, texts: Sequence[str], source: str, target: str
) -> TranslationResult:
    """Return the result whose `texts` are the translations, in order; a hole shows its source.

    What is not finished when the time is up is cancelled, as nobody waits for it any more. Raises PermanentError
    for a bad request, TranslationFailedError where no text came of it, TransientError.
    """
    limits: HttpLimits = request.app.state.limits
    submission = Submission(
        texts=[TextItem(text=text) for text in texts],
        source_language=source,
        target_language=target,
        priority=limits.compatible_priority,
    )
    envelope = Envelope(traceparent=request.headers.get("traceparent"))
    call = await prepared_call(submission, envelope, caller, request)
    (snapshot,) = await sent_call(call, request, limits.max_wait_seconds)
    if snapshot.result is None:
        await _give_up(call.valid[0].request.key, request)
        raise TransientError(f"not finished within {limits.max_wait_seconds:g} s", _RETRY_AFTER_SECONDS)
    return _delivered(snapshot.result)


def _delivered(result: TranslationResult) -> TranslationResult:
    if result.status in (ResultStatus.COMPLETED, ResultStatus.PARTIAL):
        return result
    if result.status is ResultStatus.FAILED:
        message = result.error_message or "no text could be translated"
        raise TranslationFailedError(result.error_cause or "failed", message, field=result.error_field)
    raise TransientError(f"the request ended as {result.status}", _RETRY_AFTER_SECONDS)


async def guessed_source(request: Request, texts: Sequence[str]) -> Detection:
    """Return the language that the texts are most likely in, all of them together.

    The originals translate every text, so a short one gets the likeliest of the languages that are offered. There
    is none for texts without letters, which pass through. Raises TransientError while too many wait.
    """
    ports: Ports = request.app.state.ports
    offered: set[str] = set()
    with suppress(TransientError):
        for some in (await ports.models.catalogue()).sets():
            offered |= some.sources | some.targets
    return await ports.detector.guess("\n".join(texts), offered)


def source_of(named: str, found: Detection | None) -> str:
    """Return the source language of a request: the one that was named, or found; else it says auto."""
    return str(found.language) if found and found.language else named


async def _give_up(key: JobKey, request: Request) -> None:
    ports: Ports = request.app.state.ports
    with suppress(DragomanError):
        await cancel(key, ports, request.app.state.limits)
