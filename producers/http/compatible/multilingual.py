"""Glossaries with a dictionary for each pair of languages, made of ours, which have one pair each. Pure.

The dictionary of NAME for two languages is our glossary `NAME:SOURCE-TARGET`; one of ours without such an ending
is a glossary with one dictionary. An id is a name, which means the newest version of each dictionary.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import count, groupby
from typing import NamedTuple

from schemas.errors import PermanentError
from schemas.glossaries import Glossary
from schemas.languages import LanguagePair, parse_language
from stream_apps.glossaries.shelf import VERSION_SIGN, Shelf

_ENDING = re.compile(r":[a-z]{2,3}-[a-z]{2,3}\Z")
_NO_NAME = re.compile(r"[^A-Za-z0-9._-]+")
# Room for the ending, and for a number where the name is taken.
_LONGEST_NAME = 48
_HASH_DIGITS = 8


class Multilingual(NamedTuple):
    """A glossary and its dictionaries, one for each pair, by pair."""

    name: str
    dictionaries: Sequence[Glossary]

    def dictionary(self, pair: LanguagePair) -> Glossary | None:
        """Return the dictionary of two languages, whatever their regions."""
        return next((one for one in self.dictionaries if pair_of(one) == based(pair)), None)


def based(pair: LanguagePair) -> LanguagePair:
    """Return a pair without scripts and regions: a dictionary is for all of them."""
    return LanguagePair(*(parse_language(code, "language").language for code in (pair.source, pair.target)))


def pair_of(one: Glossary) -> LanguagePair:
    """Return the languages of a dictionary, without regions."""
    return based(LanguagePair(one.source_language, one.target_language))


def all_multilingual(shelf: Shelf, tenant: str) -> list[Multilingual]:
    """Return the glossaries of a tenant, by name."""
    return grouped(shelf.all_of(tenant))


def grouped(dictionaries: Iterable[Glossary]) -> list[Multilingual]:
    """Return the glossaries that these are the dictionaries of, by name."""
    found = sorted(dictionaries, key=lambda one: (_name_of(one), one.name))
    return [Multilingual(name, list(some)) for name, some in groupby(found, _name_of)]


def multilingual(shelf: Shelf, tenant: str, name: str) -> Multilingual | None:
    """Return the glossary of that name, if there is one."""
    return next((one for one in all_multilingual(shelf, tenant) if one.name == name), None)


def known_multilingual(shelf: Shelf, tenant: str, name: str) -> Multilingual:
    """Return the glossary of that name. Raises PermanentError where there is none."""
    found = multilingual(shelf, tenant, name)
    if found is None:
        raise no_such(f"there is no glossary {name[:100]!r}")
    return found


def no_such(message: str) -> PermanentError:
    """Build the refusal of what there is not."""
    return PermanentError("no_such_glossary", message, field="glossary_id", cure="see GET /v3/glossaries")


def exact_name(shelf: Shelf, tenant: str, glossary_id: str, pair: LanguagePair) -> str:
    """Return what our requests call the dictionary of a glossary for two languages; an unknown id as it is."""
    found = None if VERSION_SIGN in glossary_id else multilingual(shelf, tenant, glossary_id)
    dictionary = found and (found.dictionary(pair) or next(iter(found.dictionaries), None))
    return dictionary.name if dictionary else glossary_id


def dictionary_name(name: str, pair: LanguagePair) -> str:
    """Name the dictionary of a glossary for two languages."""
    return f"{name}:{based(pair)}"


def bare_name(wanted: str, forbidden: re.Pattern[str], longest: int) -> str:
    """Return the name as ours may be; one of which nothing is left, such as a Japanese one, by its hash."""
    bare = forbidden.sub("-", wanted).strip(".-_:")[:longest]
    return bare or f"glossary-{hashlib.sha256(wanted.encode()).hexdigest()[:_HASH_DIGITS]}"


def creation_time(at_ms: int) -> str:
    """Write a moment (milliseconds, Unix) as the original does, with a fraction: its client insists on one."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


def free_name(shelf: Shelf, tenant: str, wanted: str, own: str = "") -> str:
    """Return the name as ours may be, with a number where a glossary other than `own` has it already."""
    bare = bare_name(wanted, _NO_NAME, _LONGEST_NAME)
    taken = {one.name for one in all_multilingual(shelf, tenant)} - {own}
    return next(name for name in _numbered(bare) if name not in taken)


def _numbered(bare: str) -> Iterator[str]:
    yield bare
    yield from (f"{bare}-{number}" for number in count(2))


def _name_of(one: Glossary) -> str:
    return _ENDING.sub("", one.name)
