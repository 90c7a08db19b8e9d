"""BCP-47 language tags (RFC 5646, section 2.1), and the one rule by which a model serves a pair of languages.

Every tag that is parsed becomes canonical, so that jobs, answers and the memory know one code for a language.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from schemas.errors import PermanentError
from schemas.language_names import canonical, names, script_of

AUTO = "auto"

_TAG = re.compile(
    r"(?P<language>[a-zA-Z]{2,3})"
    r"(?:-(?P<script>[a-zA-Z]{4}))?"
    r"(?:-(?P<region>[a-zA-Z]{2}|[0-9]{3}))?"
)
# As `Language` writes it, so that a pair such as zh-Hant-en is read in one way only.
_WRITTEN = r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|[0-9]{3}))?"
_PAIR = re.compile(f"(?P<source>{_WRITTEN})-(?P<target>{_WRITTEN})")


@dataclass(frozen=True)
class Language:
    """A language, with its script and region where they were given."""

    language: str
    script: str | None = None
    region: str | None = None

    def __str__(self) -> str:
        return "-".join(part for part in (self.language, self.script, self.region) if part)

    def is_read_as(self, target: "Language") -> bool:
        """Tell whether a text in this language is in the target already: one language, script and region.

        A region that only one of them names is no difference.
        """
        return (
            self.language == target.language
            and script_of(str(self)) == script_of(str(target))
            and (self.region is None or target.region is None or self.region == target.region)
        )


@dataclass(frozen=True)
class LanguagePair:
    """From one language into another."""

    source: str
    target: str

    def __str__(self) -> str:
        return f"{self.source}-{self.target}"


@lru_cache(maxsize=1024)
def parse_language(tag: str, field: str) -> Language:
    """Parse a tag, with - or _, into its canonical form: `pt_br` -> pt-BR.

    Raises PermanentError naming the field.
    """
    match = _parts(tag)
    if match is None:
        raise PermanentError(
            "malformed_language",
            f"{field} is {tag[:40]!r}, which is no BCP-47 tag",
            field=field,
            limit="language[-Script][-REGION]",
            cure="send a tag such as en, pt-BR or zh-Hant",
        )
    written = _language(match)
    known = _parts(canonical(str(written)))
    return _language(known) if known else written


def parse_pair(name: str) -> LanguagePair:
    """Parse the name of a pair, such as en-pt or zh-Hant-pt-BR. Raises ValueError, as for a setting."""
    match = _PAIR.fullmatch(name)
    if match is None:
        raise ValueError(f"{name[:40]!r} is no pair of languages such as en-pt or en-pt-BR")
    return LanguagePair(match["source"], match["target"])


@lru_cache(maxsize=1024)
def served_as(source: Language, target: Language) -> tuple[str, ...]:
    """List the names under which models may serve the pair, the most specific first.

    From en-GB to pt-BR: en-GB-pt-BR, en-GB-pt, en-pt-BR, en-pt and their aliases. A model for pt serves pt-BR too,
    but no model serves another script or region than it was made for.
    """
    return tuple(map(str, candidates(source, target)))


@lru_cache(maxsize=1024)
def candidates(source: Language, target: Language) -> tuple[LanguagePair, ...]:
    """List the pairs behind the names of `served_as`."""
    ranked = [
        (more + less, more, LanguagePair(from_, into))
        for more, from_ in enumerate(names(str(source)))
        for less, into in enumerate(names(str(target)))
    ]
    return tuple(pair for _, _, pair in sorted(ranked, key=lambda one: one[:2]))


def _parts(tag: str) -> re.Match[str] | None:
    return _TAG.fullmatch(tag.replace("_", "-"))


def _language(match: re.Match[str]) -> Language:
    script, region = match["script"], match["region"]
    return Language(match["language"].lower(), script and script.title(), region and region.upper())
