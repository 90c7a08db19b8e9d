"""Several texts as one: units joined by U+001E, the record separator of RFC 7464. Pure.

The pipeline works on one text. The texts of an array, and those that a document consists of, are its units: the
separators stand in the gaps between segments, so whatever keeps the gaps keeps the units.
"""

from collections.abc import Sequence
from typing import Any

from schemas.documents import is_document
from schemas.messages import TranslationRequest, TranslationResult
from schemas.states import RequestKind

UNIT_SEPARATOR = "\x1e"


def has_units(kind: str) -> bool:
    """Tell whether the text of a request of that kind consists of units."""
    return kind != RequestKind.TEXT


def joined(units: Sequence[str]) -> str:
    """Return the units as one text; none of them may hold the separator."""
    return UNIT_SEPARATOR.join(units)


def units_of(text: str, kind: str) -> Sequence[str]:
    """Return the units of the text of a request of that kind: the text alone where it has none."""
    return text.split(UNIT_SEPARATOR) if has_units(kind) else (text,)


def characters_of(text: str, kind: str) -> int:
    """Count the code points of a text, without its separators."""
    return len(text) - (text.count(UNIT_SEPARATOR) if has_units(kind) else 0)


def kind_of(request: TranslationRequest) -> RequestKind:
    """Return what a request asks for."""
    if is_document(request):
        return RequestKind.DOCUMENT
    return RequestKind.TEXTS if request.texts else RequestKind.TEXT


def whole_text(message: TranslationRequest | TranslationResult) -> str | None:
    """Return the text as the pipeline sees it, units joined; None where the message holds none."""
    return joined(message.texts) if message.texts else message.text


def shown(text: str | None, kind: str) -> dict[str, Any]:
    """Return the fields of a result that hold this text: `texts` for an array, else `text`."""
    if text is None or kind != RequestKind.TEXTS:
        return {"text": text, "texts": ()}
    return {"text": None, "texts": tuple(units_of(text, kind))}
