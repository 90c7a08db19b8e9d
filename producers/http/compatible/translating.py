"""Translate some texts while the caller waits, as POST /api/v1/translations does: a request for each language.

The originals detect the language of each text, and translate every one. So texts that name no language are grouped
by what is detected, and a short text gets the likeliest of the languages that are offered.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from fastapi import Request

from connectors.formats.markup.fragments import fragments, words_in
from producers.http.admission.caller import Caller
from producers.http.compatible.errors import TranslationFailedError
from producers.http.ports import JobSnapshot, Ports
from producers.http.translations.calls import Call, sent_call
from producers.http.translations.jobs import cancel
from producers.http.translations.submission import Envelope, Submission, TextItem
from producers.http.translations.submit import SubmissionContext, prepare, validate
from schemas.errors import DragomanError, TransientError
from schemas.languages import AUTO
from schemas.markup import PLAIN, is_marked_up
from schemas.messages import TranslationResult
from schemas.states import RequestKind, ResultStatus
from stream_apps.pipeline.language_detection import Detection

_RETRY_AFTER_SECONDS = 5


@dataclass(frozen=True)
class Wish:
    """Into what texts are to be translated, and what they are. `filter_options` are those of texts with tags."""

    source: str
    target: str
    glossaries: Sequence[str] = ()
    content_type: str = PLAIN
    filter_options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TranslatedText:
    """A text in the target language. `source` is its language, `und` where it has none."""

    text: str
    source: str
    detection: Detection | None = None


async def translated_texts(
    request: Request, caller: Caller, texts: Sequence[str], wish: Wish
) -> list[TranslatedText]:
    """Return the texts in the target language, in order; a sentence that could not be translated stays.

    What is not finished when the time is up is cancelled, as nobody waits for it any more. Raises PermanentError
    for a bad request, TranslationFailedError where no text came of it, TransientError.
    """
    state = request.app.state
    whole = Submission(
        texts=[TextItem(text=text) for text in texts],
        source_language=wish.source,
        target_language=wish.target,
        glossaries=list(wish.glossaries),
        content_type=wish.content_type,
        filter_options=dict(wish.filter_options),
        priority=state.limits.compatible_priority,
    )
    # As one array, so that a mistake is named by its own place.
    validate(whole, SubmissionContext(caller, state.request_limits, state.ports.now_ms()))
    found = await guessed_sources(request, _read(texts, wish)) if wish.source == AUTO else []
    groups = _by_source(found) if found else {wish.source: list(range(len(texts)))}
    envelope = Envelope(traceparent=request.headers.get("traceparent"))
    asked = [_part(whole, language, places) for language, places in groups.items()]
    call = Call(await prepare(asked, envelope, caller, state.ports, state.request_limits), envelope)
    results = await _results(call, request)
    done: dict[int, TranslatedText] = {}
    for result, places in zip(results, groups.values(), strict=True):
        for place, text in zip(places, result.texts, strict=True):
            done[place] = TranslatedText(text, result.source_language, found[place] if found else None)
    return [done[place] for place in range(len(texts))]


async def guessed_sources(request: Request, texts: Sequence[str]) -> list[Detection]:
    """Return the language of each text; none for one without letters. Raises TransientError while many wait."""
    ports: Ports = request.app.state.ports
    offered: set[str] = set()
    with suppress(TransientError):
        for some in (await ports.models.catalogue()).sets():
            offered |= some.sources | some.targets
    return await ports.detector.guess_each(texts, offered)


def _read(texts: Sequence[str], wish: Wish) -> Sequence[str]:
    """Return what there is to read in the texts: tags are in no language."""
    if not is_marked_up(RequestKind.TEXTS, wish.content_type):
        return texts
    return [words_in(fragments(text, wish.content_type, wish.filter_options)) for text in texts]


def _by_source(found: Sequence[Detection]) -> dict[str, list[int]]:
    """Return the places of the texts by their language; what has none passes through with any of them."""
    languages = [str(one.language) if one.language else "" for one in found]
    first = next(filter(None, languages), AUTO)
    groups: dict[str, list[int]] = {}
    for place, language in enumerate(languages):
        groups.setdefault(language or first, []).append(place)
    return groups


def _part(whole: Submission, language: str, places: Sequence[int]) -> Submission:
    texts = whole.texts or []
    return whole.model_copy(update={"source_language": language, "texts": [texts[place] for place in places]})


async def _results(call: Call, request: Request) -> list[TranslationResult]:
    seconds = request.app.state.limits.max_wait_seconds
    snapshots = await sent_call(call, request, seconds)
    if all(one.result for one in snapshots):
        return [_delivered(one.result) for one in snapshots if one.result]
    await _give_up(call, snapshots, request)
    raise TransientError(f"not finished within {seconds:g} s", _RETRY_AFTER_SECONDS)


def _delivered(result: TranslationResult) -> TranslationResult:
    if result.status in (ResultStatus.COMPLETED, ResultStatus.PARTIAL):
        return result
    if result.status is ResultStatus.FAILED:
        message = result.error_message or "no text could be translated"
        raise TranslationFailedError(result.error_cause or "failed", message, field=result.error_field)
    raise TransientError(f"the request ended as {result.status}", _RETRY_AFTER_SECONDS)


async def _give_up(call: Call, snapshots: Sequence[JobSnapshot], request: Request) -> None:
    for one, snapshot in zip(call.valid, snapshots, strict=True):
        if snapshot.result is None:
            with suppress(DragomanError):
                await cancel(one.request.key, request.app.state.ports, request.app.state.limits)
