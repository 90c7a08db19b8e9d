"""BCP-47 language tags (RFC 5646, section 2.1), and the one rule by which a model serves a pair of languages."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from schemas.errors import PermanentError

AUTO = "auto"

_TAG = re.compile(
    r"(?P<language>[a-zA-Z]{2,3})"
    r"(?:-(?P<script>[a-zA-Z]{4}))?"
    r"(?:-(?P<region>[a-zA-Z]{2}|[0-9]{3}))?"
)


@dataclass(frozen=True)
class Language:
    """A language, with its script and region where they were given."""

    language: str
    script: str | None = None
    region: str | None = None

    def __str__(self) -> str:
        return "-".join(part for part in (self.language, self.script, self.region) if part)


@dataclass(frozen=True)
class LanguagePair:
    """From one language into another."""

    source: str
    target: str

    def __str__(self) -> str:
        return f"{self.source}-{self.target}"


def parse_language(tag: str, field: str) -> Language:
    """Parse a tag into its usual letter case: `pt-br` -> pt-BR. Raises PermanentError naming the field."""
    match = _TAG.fullmatch(tag)
    if match is None:
        raise PermanentError(
            "malformed_language",
            f"{field} is {tag[:40]!r}, which is no BCP-47 tag",
            field=field,
            limit="language[-Script][-REGION]",
            cure="send a tag such as en, pt-BR or zh-Hant",
        )
    script, region = match["script"], match["region"]
    return Language(match["language"].lower(), script and script.title(), region and region.upper())


def served_as(source: Language, target: Language) -> list[str]:
    """List the names under which models may serve the pair, the most specific first.

    From en-GB to pt-BR: en-GB-pt-BR, en-pt-BR, en-pt. A model for pt serves pt-BR too.
    """
    exact = f"{source}-{target}"
    to_region = f"{source.language}-{target}"
    plain = f"{source.language}-{target.language}"
    return list(dict.fromkeys((exact, to_region, plain)))


def is_served(source: Language | None, target: Language, served: Collection[str]) -> bool:
    """Tell whether one of the `served` pairs (`en-pt`) fits. `source` None is yet to be detected: any will do."""
    if source is None:
        return any(pair.endswith((f"-{target}", f"-{target.language}")) for pair in served)
    return any(name in served for name in served_as(source, target))


def unsupported_pair(pair: str, served: Iterable[str]) -> PermanentError:
    """Build the refusal of a pair (`en-pt`) that is none of the served ones."""
    return PermanentError(
        "unsupported_pair",
        f"no model translates {pair}",
        field="target_language",
        limit=", ".join(sorted(served)) or "no pair at present",
        cure="ask for one of these pairs, or have a model for this one deployed",
    )
