"""The rules for requests, the same for every way in: intake applies them, and HTTP applies them at once. Pure.

Each refusal names the field, the limit and the cure, in words that fit a Kafka record and a JSON body alike.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from connectors.settings import Section
from schemas.documents import is_document
from schemas.errors import PermanentError
from schemas.ids import REQUEST_TEXTS, inbox_folder, tenant_folder
from schemas.languages import AUTO, Language, parse_language
from schemas.messages import TranslationRequest
from schemas.priorities import Priority, parse_priority
from schemas.topics import DAY_MS
from schemas.validity import (
    LONGEST_NAME,
    MOST_METADATA_BYTES,
    MOST_NAMES,
    beam_size_of,
    check_tenant,
    placeholder_pattern_of,
)

_OPTION_NAME = re.compile(r"[a-z][a-z0-9_.]{0,63}")
# Fields whose work is not built, with the values that ask for none.
_NOT_SUPPORTED: Mapping[str, tuple[object, ...]] = {
    "texts": ([], ()),
    "content_sha256": (None,),
    "file_name": (None,),
    "output_content_type": (None,),
    "output_mode": ("translation",),
    "filter_options": ({},),
    "callback": (None,),
}
# These are carried out for documents.
_OF_DOCUMENTS = frozenset({"content_sha256", "file_name", "output_content_type", "filter_options"})
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LONGEST_FILE_NAME = 255
# 2001-09-09 in milliseconds; anything before it was meant as seconds.
_EARLIEST_MS = 10**12


class RequestLimits(Section):
    """DRAGOMAN_REQUESTS_*: the limits of a request, the same for every way in."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_REQUESTS_", frozen=True, extra="forbid")

    max_id_length: int = Field(
        default=200, ge=1, le=LONGEST_NAME, description="Characters of request_id and of the name of a glossary."
    )
    max_text_characters: int = Field(default=1_000_000, ge=1, description="Code points of one text.")
    content_types: tuple[str, ...] = Field(
        default=("text/plain",), description="Other formats are extracted to plain text before they come here."
    )
    max_metadata_entries: int = Field(default=32, ge=0, description="Metadata and labels of one request.")
    max_glossaries: int = Field(default=8, ge=0, le=MOST_NAMES, description="Of one request.")
    max_metadata_bytes: int = Field(
        default=8192, ge=0, le=MOST_METADATA_BYTES, description="Echoed in every batch and in the result."
    )
    max_terms: int = Field(default=200, ge=0, le=MOST_NAMES, description="Terms of do_not_translate.")
    max_term_characters: int = Field(default=100, ge=1, le=LONGEST_NAME, description="Of one such term.")
    max_options: int = Field(default=16, ge=0, description="Of one request.")
    max_option_characters: int = Field(default=256, ge=1, description="Of the value of an option.")
    max_deadline_days: int = Field(default=7, ge=1, description="No longer than requests are kept.")


@dataclass(frozen=True)
class RequestedLanguages:
    """The languages that a request names; `source` None asks for detection."""

    source: Language | None
    target: Language

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
    _check_content(request, limits)
    _check_glossaries(request, limits)
    _check_terms(request, limits)
    _check_options(request, limits)
    _check_metadata(request, limits)
    _check_deadline(request, limits, accepted_at)
    return languages


def check_text(text: str, field: str, limits: RequestLimits) -> str:
    """Return the text if it holds something to translate and not too much of it. Raises PermanentError."""
    if not text.strip():
        raise PermanentError(
            "empty_text",
            f"{field} holds no text",
            field=field,
            limit="at least 1 character that is not blank",
            cure="send text that is not blank",
        )
    if len(text) > limits.max_text_characters:
        raise PermanentError(
            "text_too_long",
            f"{field} has {len(text)} characters",
            field=field,
            limit=f"{limits.max_text_characters} characters",
            cure="split it into several requests",
        )
    return text


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


def _check_content(request: TranslationRequest, limits: RequestLimits) -> None:
    if (request.text is None) == (request.content_ref is None):
        found = "neither" if request.text is None else "both"
        raise PermanentError(
            "text_or_content_ref",
            f"{found} of text and content_ref is set",
            field="text",
            limit="exactly one of text and content_ref",
            cure="send text, or store it and send content_ref",
        )
    if is_document(request):
        _check_document(request)
        return
    if request.content_type not in limits.content_types:
        raise PermanentError(
            "unsupported_content_type",
            f"content_type is {request.content_type[:80]!r}",
            field="content_type",
            limit=", ".join(limits.content_types),
            cure="extract the text and send it as one of these types",
        )
    if request.text is not None:
        check_text(request.text, "text", limits)
    if request.content_ref is not None:
        _check_ref(request.content_ref, request.tenant)


def _check_ref(ref: str, tenant: str) -> None:
    # HTTP itself puts there what is too large for Kafka.
    if not ref.startswith(f"{tenant_folder(tenant)}{REQUEST_TEXTS}/"):
        raise PermanentError(
            "foreign_content_ref",
            f"content_ref is {ref[:80]!r}, outside the tenant's inbox",
            field="content_ref",
            limit=f"a path below {inbox_folder(tenant)}",
            cure=f"store the file below {inbox_folder(tenant)} and send that path",
        )


def _check_document(request: TranslationRequest) -> None:
    name, digest = request.file_name or "", request.content_sha256
    if len(name) > _LONGEST_FILE_NAME or not name.isprintable() or "/" in name or "\\" in name:
        raise PermanentError(
            "bad_file_name",
            f"file_name has {len(name)} characters, or some that no name of a file has",
            field="file_name",
            limit=f"{_LONGEST_FILE_NAME} printable characters without slashes",
            cure="send the name of the file without its folder",
        )
    if digest is not None and not _SHA256.fullmatch(digest):
        raise PermanentError(
            "bad_sha256",
            f"content_sha256 has {len(digest)} characters, or some that are no digits",
            field="content_sha256",
            limit="64 hexadecimal digits in small letters",
            cure="send what sha256sum prints of the file, or leave it out",
        )


def _check_supported(request: TranslationRequest) -> None:
    """Refuse what the schema can say already and nobody carries out yet, before it is silently ignored."""
    carried_out = _OF_DOCUMENTS if is_document(request) else frozenset()
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
