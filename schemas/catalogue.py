"""What can be translated: the languages of each model, and how a pair is routed over them. Pure.

A model with 200 languages has 40,000 pairs, so models are described by sets of languages, and a pair is looked up
in them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from schemas.errors import PermanentError
from schemas.language_names import names, nearest
from schemas.languages import AUTO, Language, LanguagePair, candidates, parse_pair

PIVOT = "en"

# A refusal that lists more pairs, or more characters of languages, helps nobody.
_MOST_PAIRS_LISTED, _MOST_CHARACTERS_LISTED = 40, 600


@dataclass(frozen=True)
class LanguageSet:
    """Every source with every target but itself, translated by the model of that `version`."""

    sources: frozenset[str]
    targets: frozenset[str]
    version: str = ""

    def serves(self, source: str, target: str) -> bool:
        """Tell whether the pair belongs to the set."""
        return source != target and source in self.sources and target in self.targets

    def pairs(self) -> Iterator[LanguagePair]:
        """Yield every pair, ordered."""
        for source in sorted(self.sources):
            for target in sorted(self.targets - {source}):
                yield LanguagePair(source, target)


class Catalogue:
    """Which models translate which pairs: an immutable reading, cheap to ask.

    Each of the `workers` is the sets of one worker's models. A pair without a model goes through English where one
    worker has both models.
    """

    def __init__(self, *workers: Sequence[LanguageSet]) -> None:
        self.workers = tuple(map(tuple, workers))
        self._by_source = [_by_source(sets) for sets in self.workers]
        # Every request asks, mostly for the same few pairs.
        self._versions = lru_cache(maxsize=1024)(self._version)
        self._targets = frozenset(
            target for sets in self.workers for one in sets for target in one.targets if one.sources - {target}
        )

    def __bool__(self) -> bool:
        return bool(self._targets)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Catalogue) and self.workers == other.workers

    def __hash__(self) -> int:
        return hash(self.workers)

    def __repr__(self) -> str:
        return f"Catalogue{self.workers}"

    def route(self, source: str, target: str) -> tuple[LanguageSet, ...]:
        """Return the model that serves just this pair, or the two through English, or none."""
        for by_source in self._by_source:
            found = _route(by_source, source, target)
            if found:
                return found
        return ()

    def version_of(self, source: Language, target: Language) -> str | None:
        """Return the versions of the most specific models that fit, or None where none does."""
        return self._versions(source, target)

    def serves(self, source: Language | None, target: Language) -> bool:
        """Tell whether a model fits. `source` None is yet to be detected: any source will do."""
        if source is None:
            return not self._targets.isdisjoint(names(str(target)))
        return self.version_of(source, target) is not None

    def sets(self) -> list[LanguageSet]:
        """Return all that is served, those through English included, in few sets without versions."""
        found = [LanguageSet(one.sources, one.targets) for sets in self.workers for one in sets]
        found += [through for sets in self.workers for through in _through_english(sets)]
        return sorted(_merged(found), key=lambda one: (sorted(one.sources), sorted(one.targets)))

    def pairs(self, most: int) -> list[str] | None:
        """Return the ordered names of all pairs, or None where that may be more than `most`."""
        sets = self.sets()
        if sum(len(one.sources) * len(one.targets) for one in sets) > most:
            return None
        return sorted({str(pair) for one in sets for pair in one.pairs()})

    def _version(self, source: Language, target: Language) -> str | None:
        for pair in candidates(source, target):
            route = self.route(pair.source, pair.target)
            if route:
                return "+".join(one.version for one in route)
        return None


def union(*catalogues: Catalogue) -> Catalogue:
    """Return what all of them serve; the first that serves a pair names its version."""
    return Catalogue(*(sets for catalogue in catalogues for sets in catalogue.workers))


def catalogue_of(versions: Mapping[str, str]) -> Catalogue:
    """Return the catalogue of one worker with these pairs (`en-pt` -> version). Raises ValueError."""
    return Catalogue(sets_of(map(parse_pair, versions), versions.values()))


def sets_of(pairs: Iterable[LanguagePair], versions: Iterable[str]) -> list[LanguageSet]:
    """Return the pairs, each with its version, in few sets."""
    named = zip(pairs, versions, strict=True)
    return _merged(LanguageSet(frozenset({one.source}), frozenset({one.target}), name) for one, name in named)


def unsupported_pair(source: str, target: str, catalogue: Catalogue) -> PermanentError:
    """Build the refusal of a pair that is none of the catalogue's; it names the nearest one that is."""
    near = nearest_pair(source, target, catalogue)
    return PermanentError(
        "unsupported_pair",
        f"no model translates {source}-{target}",
        field="target_language",
        limit=_listed(catalogue) or "no pair at present",
        cure=f"ask for {near or 'one of these pairs'}{', the nearest one' if near else ''}, "
        "or have a model for this one deployed",
    )


def nearest_pair(source: str, target: str, catalogue: Catalogue) -> LanguagePair | None:
    """Return the offered pair that readers of these languages can use best; None where none is near.

    `source` may be auto: then only the target counts.
    """
    for one in catalogue.sets():
        into = nearest(target, one.targets)
        out_of = AUTO if source == AUTO else nearest(source, one.sources - {into or ""})
        if into and out_of:
            return LanguagePair(out_of, into)
    return None


def _listed(catalogue: Catalogue) -> str:
    pairs = catalogue.pairs(_MOST_PAIRS_LISTED)
    if pairs is not None:
        return ", ".join(pairs)
    return "; ".join(f"from {_names(one.sources)} into {_names(one.targets)}" for one in catalogue.sets()[:3])


def _names(languages: frozenset[str]) -> str:
    names = ", ".join(sorted(languages))
    if len(names) <= _MOST_CHARACTERS_LISTED:
        return names
    return f"{names[:_MOST_CHARACTERS_LISTED].rpartition(', ')[0]} and others, {len(languages)} in all"


def _by_source(sets: Iterable[LanguageSet]) -> dict[str, list[LanguageSet]]:
    found: dict[str, list[LanguageSet]] = {}
    for one in sets:
        for source in one.sources:
            found.setdefault(source, []).append(one)
    return found


def _route(by_source: Mapping[str, list[LanguageSet]], source: str, target: str) -> tuple[LanguageSet, ...]:
    direct = _first(by_source.get(source, ()), source, target)
    if direct:
        return (direct,)
    first = _first(by_source.get(source, ()), source, PIVOT)
    second = _first(by_source.get(PIVOT, ()), PIVOT, target)
    return (first, second) if first and second and source != target else ()


def _first(sets: Iterable[LanguageSet], source: str, target: str) -> LanguageSet | None:
    return next((one for one in sets if one.serves(source, target)), None)


def _through_english(sets: Iterable[LanguageSet]) -> Iterator[LanguageSet]:
    into, out_of = frozenset[str](), frozenset[str]()
    for one in sets:
        into |= one.sources if PIVOT in one.targets else frozenset()
        out_of |= one.targets if PIVOT in one.sources else frozenset()
    through = LanguageSet(into - {PIVOT}, out_of - {PIVOT})
    if any(through.pairs()):
        yield through


def _merged(sets: Iterable[LanguageSet]) -> list[LanguageSet]:
    """Join sets of one version with equal targets, then those with equal sources: the same pairs in fewer sets."""
    by_targets: dict[tuple[frozenset[str], str], frozenset[str]] = {}
    for one in sets:
        key = one.targets, one.version
        by_targets[key] = by_targets.get(key, frozenset()) | one.sources
    by_sources: dict[tuple[frozenset[str], str], frozenset[str]] = {}
    for (targets, version), sources in by_targets.items():
        by_sources[sources, version] = by_sources.get((sources, version), frozenset()) | targets
    return [LanguageSet(sources, targets, version) for (sources, version), targets in by_sources.items()]
