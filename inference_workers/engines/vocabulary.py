"""Work around letters that a model's vocabulary lacks. Pure.

Such a letter is an unknown token: the model drops it or makes up another one. "Müller" came back as "M'ller".
"""

import unicodedata
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import NamedTuple

# Letters that no rule of Unicode takes apart.
_TAKEN_APART = {
    "æ": "ae",
    "œ": "oe",
    "ø": "o",
    "ß": "ss",
    "đ": "d",
    "ð": "d",
    "ł": "l",
    "þ": "th",
    "ı": "i",
    "ŋ": "ng",
}
LIGATURES = "ﬀﬁﬂﬃﬄﬅﬆ"
_FIRST_AND_LAST = ((0xC0, 0x24F), (0x1E00, 0x1EFF))
_LATIN = tuple(f"{chr(first)}-{chr(last)}" for first, last in _FIRST_AND_LAST)


class Letters(NamedTuple):
    """How a model meets letters that it does not know.

    `names` is a pattern of capitalised words with such a letter: names, mostly, which stay as they are.
    `spellings` maps a letter to what is written for it in other words.
    """

    names: str
    spellings: Mapping[str, str]


def unknown_letters(known: Collection[str]) -> Letters:
    """Return the Latin letters beyond ASCII that are not among the `known` characters of a vocabulary."""
    letters = [one for one in _latin_letters() if one not in known]
    # A capital of a letter that is known is written small: "Óleo" becomes "óleo".
    small = {one: one.lower() for one in letters if one.lower() in known}
    foreign = [one for one in letters if one not in small]
    spellings = small | {one: bare for one in foreign if (bare := _bare(one)).isascii()}
    return Letters(_names_with(foreign), spellings)


def _names_with(letters: Collection[str]) -> str:
    if not letters:
        return ""
    capitals = "A-Z" + "".join(one for one in _latin_letters() if one.isupper())
    letter = f"A-Za-z{''.join(_LATIN)}"
    inside = f"(?:-?[{letter}]|['’][{capitals}])*"
    any_of, capital_of = "".join(letters), "".join(one for one in letters if one.isupper())
    return f"(?:[{capitals}]{inside}(?:-?[{any_of}]|['’][{capital_of}])|[{capital_of}]){inside}"


def _bare(letter: str) -> str:
    small = letter.lower()
    parts = (one for one in unicodedata.normalize("NFKD", small) if not unicodedata.combining(one))
    found = _TAKEN_APART.get(small) or "".join(parts)
    return found if letter == small else found.capitalize()


@cache
def _latin_letters() -> tuple[str, ...]:
    return tuple(filter(str.isalpha, _characters()))


def _characters() -> Iterator[str]:
    for first, last in _FIRST_AND_LAST:
        yield from map(chr, range(first, last + 1))
    yield from LIGATURES
