"""The limits of a request, the same for every way in."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from connectors.settings import Section
from schemas.lanes import DEFAULT_BULK_WORDS
from schemas.markup import MARKUP
from schemas.validity import LONGEST_NAME, LONGEST_REMARK, MOST_METADATA_BYTES, MOST_NAMES


class RequestLimits(Section):
    """DRAGOMAN_REQUESTS_*: the limits of a request, the same for every way in."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_REQUESTS_", frozen=True, extra="forbid")

    max_id_length: int = Field(
        default=200, ge=1, le=LONGEST_NAME, description="Characters of request_id and of the name of a glossary."
    )
    max_text_characters: int = Field(
        default=1_000_000, ge=1, description="Code points of a text, or of all texts of an array together."
    )
    bulk_words: int = Field(
        default=DEFAULT_BULK_WORDS,
        ge=0,
        description="A request of high or standard priority with more words waits in the bulk lane of its "
        "priority, which short ones pass. 0: there are no bulk lanes.",
    )
    max_critical_words: int = Field(
        default=10_000,
        ge=0,
        description="Of a critical request; a longer one is sent as high. 0: no limit.",
    )
    max_texts: int = Field(default=1000, ge=1, description="Texts of an array.")
    max_array_text_characters: int = Field(default=50_000, ge=1, description="Code points of each of them.")
    content_types: tuple[str, ...] = Field(
        default=("text/plain", *MARKUP), description="Of texts; files of other formats are documents."
    )
    max_metadata_entries: int = Field(default=32, ge=0, description="Metadata and labels of one request.")
    max_glossaries: int = Field(default=8, ge=0, le=MOST_NAMES, description="Of one request.")
    max_metadata_bytes: int = Field(
        default=8192, ge=0, le=MOST_METADATA_BYTES, description="Echoed in every batch and in the result."
    )
    max_terms: int = Field(default=200, ge=0, le=MOST_NAMES, description="Terms of do_not_translate.")
    max_term_characters: int = Field(default=100, ge=1, le=LONGEST_NAME, description="Of one such term.")
    max_options: int = Field(default=16, ge=0, description="Of one request.")
    max_option_characters: int = Field(default=256, ge=1, description="Of the value of an option.")
    callback_schemes: tuple[str, ...] = Field(
        default=(),
        description='Of the URL of a callback, ["https"] where webhooks are delivered. Empty: no request has one.',
    )
    callback_private_hosts: bool = Field(
        default=False, description="Callbacks may lead to private addresses: for tests, and inside one network."
    )
    max_callback_characters: int = Field(default=2000, ge=1, le=LONGEST_REMARK, description="Of its URL.")
    max_deadline_days: int = Field(default=7, ge=1, description="No longer than requests are kept.")
