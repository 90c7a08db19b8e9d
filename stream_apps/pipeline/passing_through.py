"""Decide what of a text passes through: unchanged, marked, not billed. Pure.

What passes through stands in the lead and the gaps of a split, which come back byte for byte: it is no segment, so
no worker sees it and its words are not counted. The mark is a warning of the result.
"""

import re
from collections.abc import Mapping

from schemas.languages import Language
from schemas.message_parts import Warning as Mark
from stream_apps.pipeline.split import Split

NO_LETTERS, UNDETECTED, IN_TARGET = "no_letters", "undetected_language", "already_in_target_language"
# Fenced code of Markdown, and what begins like a message (ICU, gettext) and is none.
CODE, UNPARSABLE = "code_block", "unparsable_message"

# Not the letter-like information sign, which is an emoji.
LETTER = re.compile(r"(?!ℹ)[^\W\d_]")


def has_letters(text: str) -> bool:
    """Tell whether the text has anything that a language could say differently."""
    return LETTER.search(text) is not None


def cause_of(text: str, source: Language | None, target: Language) -> str | None:
    """Return why the text passes through as a whole, or None: it is to be translated.

    `source` is None where no language was likely enough.
    """
    if not has_letters(text):
        return NO_LETTERS
    if source is None:
        return UNDETECTED
    return IN_TARGET if source.is_read_as(target) else None


def untouched(text: str, cause: str) -> Split:
    """Return the split of a text that passes through as a whole."""
    return Split(text, (), (), marks_of({cause: 1}))


def marks_of(counts: Mapping[str, int]) -> tuple[Mark, ...]:
    """Return a mark for each cause, with the number of pieces that pass through for it."""
    return tuple(Mark(cause=cause, count=count) for cause, count in counts.items())
