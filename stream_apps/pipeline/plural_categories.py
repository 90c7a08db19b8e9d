"""Which plural forms a language has, by CLDR (Unicode TR 35, part 3), and a number that asks for each. Pure."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from babel import Locale, UnknownLocaleError
from babel.plural import PluralRule

OTHER = "other"
_ORDER = ("zero", "one", "two", "few", "many", OTHER)
# Tried in this order: what a translator would take as an example.
_SEVERAL = 5
_EXAMPLES = (1, _SEVERAL, 3, 2, 0, 7, 11, 4, 6, 8, 20, 100, 12, 21)
# Only numbers from a million on have it in Spanish, French, Italian and Portuguese; ICU takes `other` without it.
_MILLION = 1_000_000


class Form(NamedTuple):
    """A plural category with a number that it stands for."""

    category: str
    example: int


@lru_cache(maxsize=1024)
def forms_of(language: str, *, ordinal: bool) -> Sequence[Form]:
    """List the forms of whole numbers, `other` last; none for a language that CLDR does not know.

    `other` has an example even where only fractions have it: that of `many`.
    """
    rule = _rule(language, ordinal)
    if rule is None:
        return ()
    found: dict[str, int] = {}
    for example in _EXAMPLES:
        found.setdefault(rule(example), example)
    many = found.get("many", found.get(OTHER, _SEVERAL))
    found[OTHER] = _SEVERAL if rule(_SEVERAL) == OTHER else many
    return tuple(Form(category, found[category]) for category in _ORDER if category in found)


def category_of(language: str, number: int, *, ordinal: bool) -> str:
    """Return the plural category of a number."""
    rule = _rule(language, ordinal)
    return OTHER if rule is None else str(rule(number))


def example_of(language: str, category: str, *, ordinal: bool) -> int:
    """Return a number of that category; for one that only large numbers have, a million."""
    known = {form.category: form.example for form in forms_of(language, ordinal=ordinal)}
    return known.get(category, _MILLION)


@lru_cache(maxsize=1024)
def _rule(language: str, ordinal: bool) -> PluralRule | None:  # a key of the cache
    try:
        locale = Locale.parse(language, sep="-")
    except (ValueError, UnknownLocaleError):
        return None
    return locale.ordinal_form if ordinal else locale.plural_form
