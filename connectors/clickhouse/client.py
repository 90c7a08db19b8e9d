"""Query ClickHouse over HTTP: a server, or the analytics process with the embedded engine (same protocol)."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx

from schemas.errors import PermanentError, TransientError

_TIMEOUT_SECONDS = 30.0
_NO_DASHBOARD_CURE = (
    "let DRAGOMAN_ANALYTICS_URL be the address of the analytics process, and its DRAGOMAN_DASHBOARD_ENABLED true"
)


class AnalyticsClient:
    """Sends read-only queries. A server takes user and password from `url`, the analytics process a token."""

    def __init__(self, url: str, token: str = "") -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Return one dict per row. Raises TransientError when nothing answers, PermanentError for refused SQL."""
        settings = {"default_format": "JSON", "output_format_json_quote_64bit_integers": "0"}
        with _transport_errors():
            url = httpx.URL(self._url).copy_merge_params(settings)
            answer = httpx.post(url, content=sql.encode(), headers=self._headers, timeout=_TIMEOUT_SECONDS)
        _check(answer)
        try:
            return list(answer.json()["data"])
        except (ValueError, KeyError, TypeError):
            raise _no_clickhouse(answer) from None

    def dashboard_link(self) -> str:
        """Return an address of the dashboard that signs in once. Raises as `query`, or where there is none."""
        base = self._url.split("?")[0].rstrip("/")
        with _transport_errors():
            answer = httpx.post(f"{base}/dashboard/links", headers=self._headers, timeout=_TIMEOUT_SECONDS)
        if answer.status_code == 401:
            _check(answer)
        # A ClickHouse server, or an analytics process without it.
        if answer.status_code != 201:
            raise PermanentError("no_dashboard", f"there is no dashboard at {base}", cure=_NO_DASHBOARD_CURE)
        return base + str(answer.json()["path"])

    def stream(self, sql: str) -> Iterator[bytes]:
        """Yield the answer as it comes, in the FORMAT that the SQL names. Raises as `query` does."""
        with (
            _transport_errors(),
            httpx.stream(
                "POST", self._url, content=sql.encode(), headers=self._headers, timeout=_TIMEOUT_SECONDS
            ) as answer,
        ):
            if not answer.is_success:
                answer.read()
            _check(answer)
            yield from answer.iter_bytes()


def _check(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    if not answer.is_error:
        raise _no_clickhouse(answer)
    with suppress(ValueError, KeyError, TypeError, AttributeError):
        if "problem+json" in answer.headers.get("Content-Type", ""):
            problem = answer.json()
            raise PermanentError("query_refused", problem["detail"], cure=problem.get("cure"))
    raise PermanentError("query_refused", answer.text.strip()[:500] or f"it answered {answer.status_code}")


def _no_clickhouse(answer: httpx.Response) -> PermanentError:
    where = f"{answer.url.scheme}://{answer.url.netloc.decode()}"
    cure = "let DRAGOMAN_ANALYTICS_URL be the address of the analytics process, or of ClickHouse's HTTP interface"
    return PermanentError("no_clickhouse", f"what answers at {where} is no ClickHouse", cure=cure)


@contextmanager
def _transport_errors() -> Iterator[None]:
    try:
        yield
    except httpx.TransportError as error:
        raise TransientError(f"the analytics process does not answer: {error}") from error
