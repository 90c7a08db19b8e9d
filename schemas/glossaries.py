"""The message of glossaries: terms with the translation that a tenant wants. Kept in a compacted topic."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from schemas.messages import Message


@dataclass(frozen=True, kw_only=True)
class Glossary(Message):
    """One version of a glossary. Topic translation.glossaries, key = tenant/name/version.

    The newest version of a deleted glossary stays as a mark without entries, so that no number is used again.
    """

    tenant: str
    name: str
    version: int
    source_language: str = ""
    target_language: str = ""
    entries: Mapping[str, str] = dataclasses.field(default_factory=dict)
    created_at: int = 0
    created_by: str = ""
    deleted_at: int = 0

    @property
    def exact_name(self) -> str:
        """Return what names this version and no other: `name@version`."""
        return f"{self.name}@{self.version}"

    @property
    def key(self) -> str:
        """Return the key of its record."""
        return f"{self.tenant}/{self.name}/{self.version}"
