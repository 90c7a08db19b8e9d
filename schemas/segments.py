"""Identify a segment, and count its words. Pure.

Intake looks translations up under the key under which the workers remember them, so both use these functions.
Words are the unit of throughput, cost and backlog.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from schemas.coded_text import ISOLATED, MOST_CODES, OPENING, renumbered
from schemas.messages import Job

_KEY_BYTES = 20
# Scripts that are written without spaces: Han, kana, Thai, Lao, Khmer, Burmese.
UNSPACED = (
    "[\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003134f]"
)
_UNSPACED = re.compile(UNSPACED)
# Inline codes (schemas/coded_text.py) are no words; a lone one, such as a line break, stands between two.
_FIRST_CODE = chr(OPENING)
_PAIRED_CODE = re.compile(f"[{chr(OPENING)}-{chr(ISOLATED - 1)}]")
_LONE_CODE = re.compile(f"[{chr(ISOLATED)}-{chr(ISOLATED + MOST_CODES - 1)}]")
_SEPARATOR = re.compile("[\x1c-\x1f]")
_OTHER_SPACE = re.compile(r"[^\S\x1c-\x1f]+")
_UNBROKEN = re.compile("[\u00a0\u202f]")
# 25 € and 10 000 are figures with a space of their own.
_BESIDE_FIGURES = re.compile(
    "(?<=\\d)[\u00a0\u202f](?=\\S)|(?<=\\S)[\u00a0\u202f](?=\\d)|(?P<other>[^\\S\x1c-\x1f]+)"
)


@dataclass(frozen=True)
class Remembered:
    """A translation and its score, 0 to 1; None where the engine gave none.

    `warning` names what a reader should look at in it, a stable code.
    """

    text: str
    score: float | None = None
    warning: str | None = None


# What may stand before the words of a line of prose: white space, and marks of quotation as in e-mails.
LINE_START = r"(?:[^\S\r\n]|>(?=[\s>]|\Z))*"
_LINE_BREAK = re.compile(rf"(?:[\r\n]{LINE_START})+")


def is_wrapped(text: str) -> bool:
    """Tell whether the segment goes over several lines."""
    return "\n" in text or "\r" in text


def unwrapped(text: str) -> str:
    """Return the segment on one line: without its line breaks and the marks of quotation behind them."""
    return _LINE_BREAK.sub(_seam, text)


def _seam(line_break: re.Match[str]) -> str:
    text, start, end = line_break.string, line_break.start(), line_break.end()
    is_unspaced = start > 0 and _UNSPACED.match(text, start - 1) and _UNSPACED.match(text, end)
    return "" if is_unspaced else " "


class Trimmed(NamedTuple):
    """A text as `lead + words + trail`: the words, and the white space around them."""

    lead: str
    words: str
    trail: str

    def around(self, words: str) -> str:
        """Put other words between the same white space."""
        return self.lead + words + self.trail


def trimmed(text: str) -> Trimmed:
    """Set the white space around a text aside; of white space alone all is lead."""
    words = text.strip()
    lead = text[: len(text) - len(text.lstrip())]
    return Trimmed(lead, words, text[len(lead) + len(words) :])


def normalise(text: str, *, has_codes: bool = False) -> str:
    """Return the segment in Unicode NFC, trimmed, on one line, with every run of white space as one space.

    The separators U+001C to U+001F are no white space here, though Python says so: they are data, and stay. So do
    no-break spaces beside a digit.
    With `has_codes` its inline codes are counted by appearance: `Open <b>x</b>` is known with any two tags.
    """
    if has_codes:
        text = renumbered(text).text
    if is_wrapped(text):
        text = unwrapped(text)
    composed = unicodedata.normalize("NFC", text)
    if not composed.isascii() and _UNBROKEN.search(composed):
        return _BESIDE_FIGURES.sub(lambda found: " " if found["other"] else found[0], composed).strip(" ")
    if _SEPARATOR.search(composed):
        return _OTHER_SPACE.sub(" ", composed).strip(" ")
    return " ".join(composed.split())


@dataclass(frozen=True)
class TranslationContext:
    """Everything beside a segment and its model that decides a translation, and who may share it.

    `source` and `target` are the tags as they stand in the job; `engine_options` are sorted pairs. `glossaries`
    are exact versions with their tenant; `terms` are their entries that occur in the batch, which the names imply.
    """

    scope: str
    source: str
    target: str
    glossaries: tuple[str, ...] = ()
    do_not_translate: tuple[str, ...] = ()
    engine_options: tuple[tuple[str, str], ...] = ()
    terms: tuple[tuple[str, str], ...] = ()

    def memory_keys(self, model_version: str, normalised_segments: Iterable[str]) -> list[str]:
        """Return the translation memory's key of each segment: BLAKE2b over all of it."""
        base = _base_of(self, model_version)
        return [_digest(base.copy(), segment) for segment in normalised_segments]


# Most requests share theirs with many others.
@lru_cache(maxsize=1024)
def _base_of(context: TranslationContext, model_version: str) -> Any:
    # What else stands in a batch must not change the key of a segment.
    named = json.dumps((model_version, astuple(context)[:-1]))
    return hashlib.blake2b(named.encode(), digest_size=_KEY_BYTES)


def memory_scope(tenant: str, group: str) -> str:
    """Name who shares a translation memory: a group of tenants, or the tenant alone where `group` is empty."""
    return f"group:{group}" if group else f"tenant:{tenant}"


def context_of(
    tenant: str,
    job: Job,
    do_not_translate: Sequence[str],
    engine_options: Mapping[str, str],
    terms: Mapping[str, str] = MappingProxyType({}),
) -> TranslationContext:
    """Return the context of a request, which intake and the workers must name alike."""
    return TranslationContext(
        memory_scope(tenant, job.memory_scope),
        job.source_language,
        job.target_language,
        # Tenants that share a memory may have glossaries of one name.
        tuple(f"{tenant}/{name}" for name in job.glossaries),
        tuple(do_not_translate),
        tuple(sorted(engine_options.items())),
        tuple(terms.items()),
    )


def count_words(text: str) -> int:
    """Count the words of a text in any mixture of languages.

    Text between white space is one word. In scripts without spaces each character is one word, as word processors
    and translation agencies count.
    """
    if is_wrapped(text):
        text = unwrapped(text)
    if text.isascii():
        return len(text.split())
    if max(text) >= _FIRST_CODE:
        text = _LONE_CODE.sub(" ", _PAIRED_CODE.sub("", text))
    without, unspaced = _UNSPACED.subn(" ", text)
    return len(without.split()) + unspaced


def _digest(base: Any, segment: str) -> str:
    base.update(segment.encode())
    return str(base.hexdigest())
