"""What is written when a glossary with several dictionaries is made or changed: all of it, or nothing. Pure.

Each function takes the shelf as it is, so that whoever changes the same at the same time loses nothing. Raises
PermanentError, which names a dictionary by its place where the call has several.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from producers.http.compatible.multilingual import dictionary_name, free_name, known_multilingual
from schemas.errors import PermanentError
from schemas.glossaries import Glossary
from schemas.languages import LanguagePair
from stream_apps.glossaries.changes import Writing, deleted, new_version
from stream_apps.glossaries.limits import GlossaryLimits
from stream_apps.glossaries.shelf import Shelf


class Dictionary(NamedTuple):
    """What a call says a dictionary is to hold. `place` is where it says so; empty for the only one."""

    pair: LanguagePair
    entries: Mapping[str, str]
    place: str = ""


@dataclass(frozen=True)
class Author:
    """Who changes something, when, and within which limits."""

    tenant: str
    created_by: str
    now_ms: int
    limits: GlossaryLimits


def made(found: Shelf, wanted: str, dictionaries: Sequence[Dictionary], author: Author) -> Writing:
    """Make a glossary of that name, or of one with a number where the name is taken."""
    draft = _Draft(found, author)
    name = free_name(found, author.tenant, wanted)
    for one in dictionaries:
        draft.add(name, one)
    return draft.writing


def changed(
    found: Shelf, name: str, dictionaries: Sequence[Dictionary], wanted: str | None, author: Author
) -> Writing:
    """Add entries to dictionaries, new ones among them; then give the glossary the wanted name, if any."""
    draft = _Draft(found, author)
    known = known_multilingual(found, author.tenant, name)
    for one in dictionaries:
        before = known.dictionary(one.pair)
        draft.add(name, one._replace(entries={**(before.entries if before else {}), **one.entries}), before)
    if wanted:
        draft.rename(name, wanted)
    return draft.writing


def replaced(found: Shelf, name: str, dictionary: Dictionary, author: Author) -> Writing:
    """Give a dictionary other entries, or make it."""
    draft = _Draft(found, author)
    known = known_multilingual(found, author.tenant, name)
    draft.add(name, dictionary, known.dictionary(dictionary.pair))
    return draft.writing


def ended(found: Shelf, tenant: str, dictionaries: Sequence[Glossary], now_ms: int) -> Writing:
    """Delete all versions of these dictionaries."""
    writings = [deleted(found, tenant, one.name, now_ms) for one in dictionaries]
    written = [one for writing in writings for one in writing.written]
    return Writing(written, [one for writing in writings for one in writing.ended])


@contextmanager
def named_by_place(place: str) -> Iterator[None]:
    """Let refusals say which of several dictionaries they are about."""
    try:
        yield
    except PermanentError as error:
        if not place:
            raise
        named = f"{place}.{error.field}" if error.field else place
        raise PermanentError(
            error.cause, f"{place}: {error.message}", field=named, limit=error.limit, cure=error.cure
        ) from None


@dataclass
class _Draft:
    """Changes one after another, each of which sees those before it."""

    found: Shelf
    author: Author
    _written: dict[str, Glossary] = field(default_factory=dict, init=False)
    _ended: dict[str, Glossary] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.found = self.found.copy()

    @property
    def writing(self) -> Writing:
        """Return all changes as one."""
        return Writing(list(self._written.values()), list(self._ended.values()))

    def add(self, name: str, wanted: Dictionary, before: Glossary | None = None) -> None:
        """Write the next version. The oldest gives way where there are as many as there may be."""
        ours = before.name if before else dictionary_name(name, wanted.pair)
        versions = self.found.versions(self.author.tenant, ours)
        if len(versions) >= self.author.limits.max_versions:
            self._take(deleted(self.found, self.author.tenant, versions[0].exact_name, self.author.now_ms))
        with named_by_place(wanted.place):
            self._take(new_version(self.found, self._wish(ours, wanted, before), self.author.limits))

    def rename(self, name: str, wanted: str) -> None:
        """Write all dictionaries under another name, then delete those of the old one."""
        free = free_name(self.found, self.author.tenant, wanted, name)
        if free == name:
            return
        known = known_multilingual(self.found, self.author.tenant, name)
        for one in known.dictionaries:
            self.add(free, Dictionary(LanguagePair(one.source_language, one.target_language), one.entries))
        self._take(ended(self.found, self.author.tenant, known.dictionaries, self.author.now_ms))

    def _wish(self, name: str, wanted: Dictionary, before: Glossary | None) -> Glossary:
        return Glossary(
            tenant=self.author.tenant,
            name=name,
            version=0,
            source_language=before.source_language if before else wanted.pair.source,
            target_language=before.target_language if before else wanted.pair.target,
            entries=wanted.entries,
            created_at=self.author.now_ms,
            created_by=self.author.created_by,
        )

    def _take(self, writing: Writing) -> None:
        for one in writing.written:
            self.found.put(one)
            self._written[one.key] = one
        for one in writing.ended:
            self.found.drop(one)
            self._written.pop(one.key, None)
            self._ended[one.key] = one
