"""Where the books are asked: the query interface of the analytics process, or a ClickHouse server."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from connectors.settings import Section
from schemas.errors import FatalError

if TYPE_CHECKING:
    from connectors.clickhouse.client import AnalyticsClient


class BooksSettings(Section):
    """DRAGOMAN_BOOKS_*: the address at which HTTP asks for usage."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_BOOKS_", frozen=True, extra="forbid")

    url: SecretStr = Field(
        default=SecretStr(""),
        description="http://host:port of the analytics process, or http://user:password@host:8123/?database=NAME "
        "of a server; empty: usage is not told.",
    )
    token: SecretStr = Field(default=SecretStr(""), description="Bearer token of the analytics process.")
    token_file: str = Field(default="", description="File that holds the token, as secrets are mounted.")

    def opener(self) -> "Callable[[], AnalyticsClient] | None":
        """Return what opens a client of that address, None where there is none. Raises FatalError for a lost file.

        The HTTP client is imported when it is opened: a process does not wait for it at its start.
        """
        url = self.url.get_secret_value()
        return partial(_open, url, self._read_token()) if url else None

    def _read_token(self) -> str:
        if not self.token_file:
            return self.token.get_secret_value()
        try:
            return Path(self.token_file).read_text("utf-8").strip()
        except OSError as error:
            raise FatalError(f"DRAGOMAN_BOOKS_TOKEN_FILE cannot be read: {error}") from None


def _open(url: str, token: str) -> "AnalyticsClient":
    from connectors.clickhouse.client import AnalyticsClient  # noqa: PLC0415  # see `opener`

    return AnalyticsClient(url, token)
