"""BCP-47 language tags, parsed once and compared by value (RFC 5646, section 2.1)."""

import re
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
    """`pt-br` -> pt-BR, in the usual letter case. Raises PermanentError naming the field."""
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
