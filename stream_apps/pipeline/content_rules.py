"""The rules for what a request wants translated: a text, an array of texts, or what a reference names. Pure."""

import re
from collections.abc import Sequence

from schemas.documents import is_document
from schemas.errors import PermanentError
from schemas.ids import REQUEST_TEXTS, inbox_folder, tenant_folder
from schemas.messages import TranslationRequest
from schemas.units import UNIT_SEPARATOR
from stream_apps.pipeline.markup_rules import check_markup_options
from stream_apps.pipeline.request_limits import RequestLimits

_SHA256 = re.compile(r"[0-9a-f]{64}")
_LONGEST_FILE_NAME = 255
# What is translated: a request has one of them.
_CONTENTS = ("text", "texts", "content_ref")


def check_content(request: TranslationRequest, limits: RequestLimits) -> None:
    """Check that there is one content within its limits. Raises PermanentError for the first thing wrong."""
    given = [name for name in _CONTENTS if getattr(request, name) not in (None, [], ())]
    if len(given) != 1:
        raise PermanentError(
            "one_content",
            f"{' and '.join(given)} are set" if given else "there is nothing to translate",
            field=given[1] if given else "text",
            limit=f"exactly one of {', '.join(_CONTENTS)}",
            cure="send one of them; an array of texts is not empty",
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
            cure="send the text as one of these types, or the file as a document",
        )
    if request.filter_options:
        check_markup_options(request.filter_options, limits)
    if request.text is not None:
        check_text(request.text, "text", limits)
    if request.texts:
        _check_texts(request.texts, limits)
    if request.content_ref is not None:
        _check_ref(request.content_ref, request.tenant)


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


def _check_texts(texts: Sequence[str], limits: RequestLimits) -> None:
    """Check an array. Blank texts are no mistake: they come back in their places."""
    characters = sum(map(len, texts))
    if len(texts) > limits.max_texts or characters > limits.max_text_characters:
        raise PermanentError(
            "too_many_texts",
            f"texts has {len(texts)} texts of {characters} characters",
            field="texts",
            limit=f"{limits.max_texts} texts and {limits.max_text_characters} characters",
            cure="split them into several requests",
        )
    for index, text in enumerate(texts):
        if len(text) > limits.max_array_text_characters:
            raise PermanentError(
                "text_too_long",
                f"texts[{index}] has {len(text)} characters",
                field=f"texts[{index}]",
                limit=f"{limits.max_array_text_characters} characters",
                cure="send it as a request of its own, in text",
            )
        if UNIT_SEPARATOR in text:
            raise PermanentError(
                "separator_in_text",
                f"texts[{index}] holds the character U+001E",
                field=f"texts[{index}]",
                limit="any character but U+001E, which separates the texts of a request",
                cure="leave it out, or send the text as a request of its own, in text",
            )


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
