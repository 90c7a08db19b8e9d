"""All glossaries as they are known now, and which of them a request means. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog

from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.glossaries import Glossary
from schemas.languages import Language, parse_language
from schemas.records import InboundRecord

log = structlog.get_logger()

VERSION_SIGN = "@"


@dataclass
class Shelf:
    """The glossaries by tenant and name. One thread may add while others read."""

    _versions: dict[tuple[str, str], dict[int, Glossary]] = field(default_factory=dict)

    def add(self, record: InboundRecord, codec: Codec) -> None:
        """Take in the next record of the topic. One that cannot be read changes nothing."""
        if record.value is None:
            self._forget((record.key or b"").decode(errors="replace"))
            return
        try:
            glossary = codec.decode(record.value, Glossary, record.headers)
        except PermanentError as error:
            log.error("glossary_unreadable", record=record.coordinates, error=error.message)
            return
        # The broker's time, which requests have too, unless the record was copied later.
        self.put(replace(glossary, created_at=min(glossary.created_at, record.timestamp_ms)))

    def copy(self) -> "Shelf":
        """Return a shelf of the same glossaries, whose changes nobody else sees."""
        return Shelf(dict(self._versions))

    def put(self, glossary: Glossary) -> None:
        """Take in a version."""
        key = glossary.tenant, glossary.name
        self._versions[key] = {**self._versions.get(key, {}), glossary.version: glossary}

    def drop(self, glossary: Glossary) -> None:
        """Forget a version."""
        self._forget(glossary.key)

    def last_number(self, tenant: str, name: str) -> int:
        """Return the highest version that the name ever had; 0 where it had none."""
        return max(self._versions.get((tenant, name), {0: None}))

    def versions(self, tenant: str, name: str) -> list[Glossary]:
        """Return the living versions of a name, the oldest first."""
        found = self._versions.get((tenant, name), {})
        return [found[number] for number in sorted(found) if not found[number].deleted_at]

    def all_of(self, tenant: str) -> list[Glossary]:
        """Return the newest version of each glossary of a tenant, by name."""
        names = sorted(name for owner, name in list(self._versions) if owner == tenant)
        return [some[-1] for name in names if (some := self.versions(tenant, name))]

    def named(self, tenant: str, name: str, at_ms: int | None = None) -> Glossary | None:
        """Return what `name@version` means, or `name`: the newest version that there was at that time."""
        bare, sign, number = name.partition(VERSION_SIGN)
        some = self.versions(tenant, bare)
        if sign:
            return next((one for one in some if str(one.version) == number), None)
        known = [one for one in some if at_ms is None or one.created_at <= at_ms]
        return known[-1] if known else None

    def _forget(self, key: str) -> None:
        tenant, name, number = (*key.split("/"), "", "")[:3]
        some = self._versions.get((tenant, name), {})
        left = {version: one for version, one in some.items() if str(version) != number}
        if left:
            self._versions[tenant, name] = left
        else:
            self._versions.pop((tenant, name), None)


@dataclass(frozen=True)
class Wanted:
    """What a request wants: glossaries by name, at the time when it was accepted, for its languages.

    `source` is None while it is not known.
    """

    tenant: str
    names: Sequence[str]
    source: Language | None
    target: Language
    at_ms: int | None = None


def resolved(shelf: Shelf, wanted: Wanted) -> list[Glossary]:
    """Return the exact versions that a request means, in its order.

    Raises PermanentError for one that there is not, and for one of other languages.
    """
    return [_resolved(shelf, wanted, name) for name in wanted.names]


def named_glossaries(shelf: Shelf, tenant: str, names: Sequence[str]) -> list[Glossary]:
    """Return the exact versions that a job names. Raises PermanentError for one that is gone."""
    return [_known(shelf, tenant, name) for name in names]


def entries_of(glossaries: Sequence[Glossary]) -> Mapping[str, str]:
    """Return the entries of all of them; where several have one term, the first one decides."""
    return {term: target for one in reversed(glossaries) for term, target in one.entries.items()}


def is_for_source(glossary: Glossary, source: Language) -> bool:
    """Tell whether the terms are in that language, whatever the region."""
    return parse_language(glossary.source_language, "source_language").language == source.language


def _resolved(shelf: Shelf, wanted: Wanted, name: str) -> Glossary:
    found = _known(shelf, wanted.tenant, name, wanted.at_ms)
    is_for_target = parse_language(found.target_language, "target_language").language == wanted.target.language
    if not is_for_target or (wanted.source and not is_for_source(found, wanted.source)):
        raise PermanentError(
            "glossary_of_other_languages",
            f"the glossary {found.exact_name} is from {found.source_language} into {found.target_language}",
            field="glossaries",
            limit=f"from {wanted.source or 'any language'} into {wanted.target}",
            cure="name a glossary of these languages, or none",
        )
    return found


def _known(shelf: Shelf, tenant: str, name: str, at_ms: int | None = None) -> Glossary:
    found = shelf.named(tenant, name, at_ms)
    if found is None:
        raise PermanentError(
            "unknown_glossary",
            f"there is no glossary {name[:100]!r}",
            field="glossaries",
            limit="a glossary of the tenant, as name or name@version",
            cure="make it (POST /api/v1/glossaries), or leave it out",
        )
    return found
