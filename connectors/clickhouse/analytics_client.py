"""Asks ClickHouse over HTTP: a server, or the analytics process of the embedded engine. Same protocol."""

from typing import Any

import httpx

from schemas.errors import PermanentError, TransientError

_TIMEOUT_SECONDS = 30.0


class AnalyticsClient:
    """Read-only questions in SQL. `url` may hold user and password."""

    def __init__(self, url: str) -> None:
        self._url = url

    def query(self, sql: str) -> list[dict[str, Any]]:
        """One dict per row. Raises TransientError when nobody answers, PermanentError when SQL is refused."""
        settings = {"default_format": "JSON", "output_format_json_quote_64bit_integers": "0"}
        try:
            answer = httpx.post(self._url, params=settings, content=sql.encode(), timeout=_TIMEOUT_SECONDS)
        except httpx.TransportError as error:
            raise TransientError(f"the analytics process does not answer: {error}") from error
        if answer.is_error:
            raise PermanentError("query_refused", answer.text.strip()[:500])
        return list(answer.json()["data"])
