"""How large glossaries may be."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from connectors.settings import Section
from schemas.validity import MOST_TERM_BYTES


class GlossaryLimits(Section):
    """DRAGOMAN_GLOSSARIES_*: how large glossaries may be. Read by HTTP and by `dragoman glossaries`."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_GLOSSARIES_", frozen=True, extra="forbid")

    max_entries: int = Field(default=5_000, ge=1, description="Of one glossary.")
    max_term_characters: int = Field(default=200, ge=1, description="Of a term, and of its translation.")
    max_entry_bytes: int = Field(
        default=400_000, ge=1, le=MOST_TERM_BYTES, description="UTF-8 bytes of all entries of one glossary."
    )
    max_versions: int = Field(default=100, ge=1, description="Living versions of one glossary.")
    max_glossaries: int = Field(default=1_000, ge=1, description="Names of one tenant.")
