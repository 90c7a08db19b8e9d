"""Make translated sentences branches of their ICU message again: # for its example, apostrophes doubled. Pure."""

import re
from collections import Counter

# An argument, whose style may hold braces in pairs.
_ARGUMENT = re.compile(r"\{(?:[^{}]|\{[^{}]*\})*\}")
# An apostrophe that would quote: before what has a meaning, and before the brace that closes the branch.
_QUOTING = re.compile(r"'(?=[{}#']|\Z)")


def escaped(text: str) -> str:
    """Return the text with every apostrophe doubled that would quote what follows it."""
    return _QUOTING.sub("''", text)


def restored(source: str, translation: str, number: str) -> str | None:
    """Return the translation as a branch of its message, or None where it is none any more.

    `number` stands for # in the source, and must be in the translation as often; so must every argument.
    """
    if _syntax_of(source) != _syntax_of(translation):
        return None
    if not number:
        return escaped(translation)
    sign = _number(number)
    if len(sign.findall(translation)) != len(sign.findall(source)):
        return None
    return sign.sub("#", escaped(translation))


def holds_number(text: str, number: str) -> bool:
    """Tell whether the number stands in the text by itself."""
    return _number(number).search(text) is not None


def _number(number: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\d#])(?<!\d[.,]){number}(?![.,]?\d)")


def _syntax_of(text: str) -> Counter[str]:
    """Count the arguments, and what else has a meaning in a message."""
    found = Counter(_ARGUMENT.findall(text))
    found.update(sign for sign in _ARGUMENT.sub("", text) if sign in "{}#")
    return found
