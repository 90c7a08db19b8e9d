"""The rules for requests, the same for every way in: intake applies them, and HTTP applies them at once. Pure.

Each refusal names the field, the limit and the cure, in words that fit a Kafka record and a JSON body alike.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from schemas.documents import is_document
from schemas.errors import PermanentError
from schemas.languages import AUTO, Language, parse_language
from schemas.markup import is_marked_up
from schemas.messages import TranslationRequest
from schemas.priorities import Priority, parse_priority
from schemas.topics import DAY_MS
from schemas.units import kind_of
from schemas.validity import beam_size_of, check_tenant, placeholder_pattern_of
from stream_apps.pipeline.callback_rule import check_callback
from stream_apps.pipeline.content_rules import check_content
from stream_apps.pipeline.request_limits import RequestLimits

_OPTION_NAME = re.compile(r"[a-z][a-z0-9_.]{0,63}")
# Fields whose work is not built, with the values that ask for none.
_NOT_SUPPORTED: Mapping[str, tuple[object, ...]] = {
    "content_sha256": (None,),
    "file_name": (None,),
    "output_content_type": (None,),
    "output_mode": ("translation",),
    "filter_options": ({},),
}
# These are carried out for documents.
_OF_DOCUMENTS = frozenset({"content_sha256", "file_name", "output_content_type", "filter_options"})
# These are for texts with tags.
_OF_MARKUP = frozenset({"filter_options"})
# 2001-09-09 in milliseconds; anything before it was meant as seconds.
_EARLIEST_MS = 10**12


@dataclass(frozen=True)
class RequestedLanguages:
    """The languages that a request names; `source` None asks for detection."""

    source: Language | None
    target: Language

    @property
    def pair(self) -> tuple[Language | None, Language]:
        """Return both."""
        return self.source, self.target

    @property
    def are_one(self) -> bool:
        """Tell whether the text is said to be in the target language already: then it passes through."""
        return self.source is not None and self.source.is_read_as(self.target)


def check_identity(request: TranslationRequest, limits: RequestLimits) -> None:
    """Check tenant and id, before all else: without them nobody can be answered. Raises PermanentError."""
    check_tenant(request.tenant)
    _check_name("request_id", request.request_id, limits.max_id_length, "bad_request_id")


def check_request(
    request: TranslationRequest, priority: Priority, limits: RequestLimits, accepted_at: int
) -> RequestedLanguages:
    """Return the languages of a request that may be processed. Raises PermanentError for the first thing wrong.

    `priority` is that of its topic, `accepted_at` the time of its record in milliseconds since the epoch.
    """
    _check_priority(request.priority, priority)
    languages = _languages(request)
    _check_supported(request)
    check_content(request, limits)
    _check_glossaries(request, limits)
    _check_terms(request, limits)
    _check_options(request, limits)
    _check_metadata(request, limits)
    check_callback(request.callback, limits)
    _check_deadline(request, limits, accepted_at)
    return languages


def echoed_bytes(request: TranslationRequest) -> int:
    """Return the UTF-8 bytes of all keys and values that batches and results repeat: metadata and labels."""
    echoed = (*request.metadata.items(), *request.labels.items())
    return sum(len(key.encode()) + len(value.encode()) for key, value in echoed)


def _check_name(field: str, value: str, longest: int, cause: str) -> None:
    if not value.strip() or len(value) > longest or not value.isprintable():
        shown = value[:40].encode("unicode_escape").decode()
        raise PermanentError(
            cause,
            f"{field} is '{shown}' ({len(value)} characters)",
            field=field,
            limit=f"1 to {longest} printable characters",
            cure=f"send a {field} within the limit, for example a UUID",
        )


def _check_priority(named: str | None, priority: Priority) -> None:
    if named is not None and parse_priority(named) is not priority:
        raise PermanentError(
            "priority_contradicts_topic",
            f"priority is {named!r}, but the topic is that of {priority}",
            field="priority",
            limit=str(priority),
            cure=f"leave priority out, or send to translation.requests.{named}",
        )


def _languages(request: TranslationRequest) -> RequestedLanguages:
    target = parse_language(request.target_language, "target_language")
    if request.source_language == AUTO:
        return RequestedLanguages(None, target)
    return RequestedLanguages(parse_language(request.source_language, "source_language"), target)


def _check_supported(request: TranslationRequest) -> None:
    """Refuse what the schema can say already and nobody carries out yet, before it is silently ignored."""
    carried_out = _carried_out(request)
    wanted = [
        name
        for name, nothing in _NOT_SUPPORTED.items()
        if name not in carried_out and getattr(request, name) not in nothing
    ]
    if wanted:
        raise PermanentError(
            "not_supported",
            f"{wanted[0]} is set, which this version does not carry out",
            field=wanted[0],
            limit="its default",
            cure=f"leave {wanted[0]} out",
        )


def _carried_out(request: TranslationRequest) -> frozenset[str]:
    if is_document(request):
        return _OF_DOCUMENTS
    return _OF_MARKUP if is_marked_up(kind_of(request), request.content_type) else frozenset()


def _check_glossaries(request: TranslationRequest, limits: RequestLimits) -> None:
    if len(request.glossaries) > limits.max_glossaries:
        raise PermanentError(
            "too_many_glossaries",
            f"there are {len(request.glossaries)} glossaries",
            field="glossaries",
            limit=f"{limits.max_glossaries} glossaries",
            cure="name the ones that matter",
        )
    for name in request.glossaries:
        _check_name("glossaries", name, limits.max_id_length, "bad_glossary")


def _check_terms(request: TranslationRequest, limits: RequestLimits) -> None:
    terms, longest = request.do_not_translate, limits.max_term_characters
    if len(terms) > limits.max_terms or not all(term.strip() and len(term) <= longest for term in terms):
        raise PermanentError(
            "bad_terms",
            f"there are {len(terms)} terms, or one is blank or too long",
            field="do_not_translate",
            limit=f"{limits.max_terms} terms of 1 to {longest} characters",
            cure="send the terms that matter, in their shortest form",
        )


def _check_options(request: TranslationRequest, limits: RequestLimits) -> None:
    longest = limits.max_option_characters
    bad = [
        name
        for name, value in request.engine_options.items()
        if not _OPTION_NAME.fullmatch(name) or len(value) > longest or "\0" in value
    ]
    if bad or len(request.engine_options) > limits.max_options:
        raise PermanentError(
            "bad_options",
            f"option {bad[0][:40]!r} or its value is malformed"
            if bad
            else f"there are {len(request.engine_options)} options",
            field="engine_options",
            limit=f"{limits.max_options} options, names of [a-z0-9_.], values to {longest} characters",
            cure="leave out what the engine does not know",
        )
    beam_size_of(request.engine_options)
    placeholder_pattern_of(request.engine_options)


def _check_metadata(request: TranslationRequest, limits: RequestLimits) -> None:
    size, entries = echoed_bytes(request), len(request.metadata) + len(request.labels)
    if size > limits.max_metadata_bytes or entries > limits.max_metadata_entries:
        raise PermanentError(
            "metadata_too_large",
            f"metadata and labels have {entries} entries and {size} bytes",
            field="metadata",
            limit=f"{limits.max_metadata_entries} entries and {limits.max_metadata_bytes} bytes",
            cure="keep the rest on your side, under the id of the request",
        )


def _check_deadline(request: TranslationRequest, limits: RequestLimits, accepted_at: int) -> None:
    deadline = request.deadline
    if deadline is None:
        return
    latest = accepted_at + limits.max_deadline_days * DAY_MS
    if not max(_EARLIEST_MS, request.submitted_at) <= deadline <= latest:
        raise PermanentError(
            "bad_deadline",
            f"deadline is {deadline} in milliseconds since the epoch",
            field="deadline",
            limit=f"after the submission, within {limits.max_deadline_days} days of it",
            cure="send a moment within the limit, in the unit of the field, or no deadline",
        )
