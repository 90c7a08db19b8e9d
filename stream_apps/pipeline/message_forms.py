"""How a sentence stands in its message, and how its translation becomes a part of the message again. Pure.

A form is a short string that travels with the segment: the kind of message and, where an example number stands for
a placeholder in it, the number and the placeholder: `icu`, `icu 3 #`, `gettext 3 %d`.
"""

import re
from collections import Counter

ICU, GETTEXT = "icu", "gettext"

# An argument, whose style may hold braces in pairs.
_ARGUMENT = re.compile(r"\{(?:[^{}]|\{[^{}]*\})*\}")
# An apostrophe that would quote: before what has a meaning, and before the brace that closes the branch.
_QUOTING = re.compile(r"'(?=[{}#']|\Z)")
# What a string of gettext writes with a backslash.
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def form_of(kind: str, number: int | None, placeholder: str) -> str:
    """Return the form of a sentence in which `number` stands for `placeholder`; None where none does."""
    return kind if number is None else f"{kind} {number} {placeholder}"


def restored(source: str, translation: str, form: str) -> str | None:
    """Return the translation as its message writes it, or None where it cannot be a part of it any more.

    The number must be in the translation as often as in the source; so must every argument of an ICU message.
    """
    kind, number, placeholder = (*form.split(" ", 2), "", "")[:3]
    if kind == ICU and _syntax_of(source) != _syntax_of(translation):
        return None
    written = escaped(translation, kind)
    if not number:
        return written
    pattern = _number(number)
    if len(pattern.findall(written)) != len(pattern.findall(source)):
        return None
    return pattern.sub(lambda _: placeholder, written)


def escaped(text: str, kind: str) -> str:
    """Return the text as the message writes it: apostrophes of ICU doubled where they would quote, and so on."""
    if kind == ICU:
        return _QUOTING.sub("''", text)
    return "".join(_ESCAPES.get(character, character) for character in text)


def holds_number(text: str, number: int) -> bool:
    """Tell whether the number stands in the text by itself."""
    return _number(str(number)).search(text) is not None


def _number(number: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\d#])(?<!\d[.,]){re.escape(number)}(?![.,]?\d)")


def _syntax_of(text: str) -> Counter[str]:
    """Count the arguments, and what else has a meaning in a message."""
    found = Counter(_ARGUMENT.findall(text))
    found.update(sign for sign in _ARGUMENT.sub("", text) if sign in "{}#")
    return found
