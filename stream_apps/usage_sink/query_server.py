"""Answer queries over HTTP: the read-only part of ClickHouse's interface, in front of the embedded engine.

GET or POST /?query=SQL (or the SQL in the body), with FORMAT in the SQL or in default_format, and the header
Authorization: Bearer TOKEN. GET /ping asks for no token. Refusals are RFC 9457 problems that name the cure.
"""

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from connectors.clickhouse.database import Database
from connectors.telemetry.health import BackgroundServer
from schemas.errors import PermanentError, TransientError
from stream_apps.usage_sink.query_check import checked_query, refused_functions

_MOST_BYTES = 1 << 18
# What one client may hold up a thread for between two of its packets.
_SOCKET_SECONDS = 30.0
_FORBIDDEN = frozenset({"not_a_query", "reaches_out"})
_FUNCTIONS = """
SELECT f.name, if(f.categories = '', t.categories, f.categories)
FROM system.functions AS f LEFT JOIN system.functions AS t ON f.alias_to = t.name
"""
_TOKEN_CURE = (
    "send the header 'Authorization: Bearer TOKEN'; 'dragoman up' keeps its token in data/analytics.token"
)
_NO_TOKEN_CURE = "set DRAGOMAN_ANALYTICS_TOKEN or DRAGOMAN_ANALYTICS_TOKEN_FILE for the analytics process"

HttpAnswer = tuple[int, bytes]
"""Status and body."""


@dataclass(frozen=True)
class QueryLimits:
    """The most that one query may take."""

    seconds: int
    rows: int
    megabytes: int = 1000

    @property
    def settings(self) -> dict[str, int]:
        """Return them as ClickHouse's settings, and ask for plain numbers in JSON."""
        return {
            "max_execution_time": self.seconds,
            "max_result_rows": self.rows,
            "max_memory_usage": self.megabytes * 1_000_000,
            "output_format_json_quote_64bit_integers": 0,
        }


@dataclass(frozen=True)
class Access:
    """Where the server listens, and the token that every query needs; with an empty one none is answered."""

    host: str
    port: int
    token: str = field(repr=False)

    def check(self, authorization: str) -> None:
        """Raise PermanentError (unauthorised) unless the header holds the token."""
        scheme, _, given = authorization.strip().partition(" ")
        is_right = hmac.compare_digest(given.strip().encode(), self.token.encode())
        if not self.token:
            raise PermanentError(
                "unauthorised", "this server has no token, so it answers no query", cure=_NO_TOKEN_CURE
            )
        if scheme.lower() != "bearer" or not is_right:
            raise PermanentError("unauthorised", "the token is missing or wrong", cure=_TOKEN_CURE)


class QueryServer(BackgroundServer):
    """Answers queries from its construction on; close it at the end, before the database."""

    def __init__(self, database: Database, access: Access, limits: QueryLimits) -> None:
        handler = _handler(access, _answerer(database, limits))
        super().__init__(handler, access.host, access.port, "queries")


def _answerer(database: Database, limits: QueryLimits) -> Callable[[str, str], HttpAnswer]:
    refused = refused_functions((name, category) for name, category in database.rows(_FUNCTIONS))

    def answer(sql: str, default_format: str) -> HttpAnswer:
        try:
            query = checked_query(sql, default_format, refused)
            return HTTPStatus.OK, database.answer(query.sql, query.fmt, limits.settings)
        except PermanentError as error:
            return _refusal(HTTPStatus.FORBIDDEN if error.cause in _FORBIDDEN else HTTPStatus.BAD_REQUEST, error)
        except TransientError as error:
            cure = "ask again in a moment; /ready of the analytics process tells what is wrong"
            return _refusal(HTTPStatus.SERVICE_UNAVAILABLE, PermanentError("unavailable", str(error), cure=cure))

    return answer


def _refusal(status: HTTPStatus, error: PermanentError) -> HttpAnswer:
    """Return an RFC 9457 problem, as the HTTP interface of the platform does."""
    problem = {
        "type": f"urn:dragoman:problem:{error.cause}",
        "title": status.phrase,
        "status": status.value,
        "detail": error.message,
        "limit": error.limit,
        "cure": error.cure,
    }
    body = {name: value for name, value in problem.items() if value is not None}
    return status, json.dumps(body, ensure_ascii=False).encode() + b"\n"


def _handler(access: Access, answer: Callable[[str, str], HttpAnswer]) -> type[BaseHTTPRequestHandler]:
    class QueryHandler(BaseHTTPRequestHandler):
        timeout = _SOCKET_SECONDS

        def do_GET(self) -> None:
            self._serve(0)

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length") or "0"
            self._serve(int(length) if length.isdecimal() else 0)

        def _serve(self, length: int) -> None:
            if urlsplit(self.path).path == "/ping":
                self._send(HTTPStatus.OK, b"Ok.\n")
                return
            try:
                access.check(self.headers.get("Authorization", ""))
            except PermanentError as error:
                self._send(*_refusal(HTTPStatus.UNAUTHORIZED, error))
                return
            self._send(*self._answer(length))

        def _answer(self, length: int) -> HttpAnswer:
            if length > _MOST_BYTES:
                cure, limit = "send a shorter query", f"{_MOST_BYTES} bytes"
                error = PermanentError("body_too_large", "the query is too long", limit=limit, cure=cure)
                return _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, error)
            parameters = parse_qs(urlsplit(self.path).query)
            body = self.rfile.read(length).decode("utf-8", "replace")
            default = parameters.get("default_format", [self.headers.get("X-ClickHouse-Format") or "TabSeparated"])
            return answer("\n".join([*parameters.get("query", []), body]), default[0])

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if status != HTTPStatus.OK:
                self.send_header("Content-Type", "application/problem+json")
            if status == HTTPStatus.UNAUTHORIZED:
                self.send_header("WWW-Authenticate", "Bearer")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Log nothing: queries may hold names of tenants."""

    return QueryHandler
