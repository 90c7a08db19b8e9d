"""Answer queries over HTTP: the read-only part of ClickHouse's interface, in front of the embedded engine.

GET or POST /?query=SQL (or the SQL in the body), with FORMAT in the SQL or in default_format. GET /ping.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from connectors.clickhouse.database import Database
from connectors.telemetry.health import BackgroundServer
from schemas.errors import PermanentError, TransientError

_READS = re.compile(r"\s*(SELECT|WITH|SHOW|DESCRIBE|DESC|EXISTS|EXPLAIN)\b", re.IGNORECASE)
_COMMENT_OR_TEXT = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^'\\]|\\.|'')*'", re.DOTALL)
# Table functions and clauses that would reach files, other hosts or settings.
_REACHES_OUT = re.compile(
    r"\b(url|file|s3|gcs|hdfs|azureBlobStorage|remote|remoteSecure|mysql|postgresql|mongodb|redis|sqlite|jdbc|odbc|"
    r"executable|input|cluster\w*|iceberg\w*|deltaLake\w*|hudi\w*|python)\s*\(|\bINTO\s+OUTFILE\b|\bSETTINGS\b",
    re.IGNORECASE,
)
_FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)
_MOST_BYTES = 1 << 20

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


def checked_query(sql: str) -> str:
    """Return the statement if it only reads our tables. Raises PermanentError saying why it does not."""
    bare = _COMMENT_OR_TEXT.sub("''", sql).strip().rstrip(";")
    if not _READS.match(bare) or ";" in bare:
        raise PermanentError("not_a_query", "only one SELECT, WITH, SHOW, DESCRIBE, EXISTS or EXPLAIN is answered")
    if found := _REACHES_OUT.search(bare):
        raise PermanentError("reaches_out", f"{found[0].strip()!r} is not allowed here")
    return sql.strip().rstrip(";")


class QueryServer(BackgroundServer):
    """Answers queries from its construction on; close it at the end, before the database."""

    def __init__(self, database: Database, host: str, port: int, limits: QueryLimits) -> None:
        super().__init__(_handler(_answerer(database, limits)), host, port, "queries")


def _answerer(database: Database, limits: QueryLimits) -> Callable[[str, str], HttpAnswer]:
    def answer(sql: str, default_format: str) -> HttpAnswer:
        try:
            statement = checked_query(sql)
            named = _FORMAT.search(statement)
            body = _FORMAT.sub("", statement)
            return 200, database.answer(body, named[1] if named else default_format, limits.settings)
        except PermanentError as error:
            status = 403 if error.cause in ("not_a_query", "reaches_out") else 400
            return status, f"{error.message}\n".encode()
        except TransientError as error:
            return 503, f"{error}\n".encode()

    return answer


def _handler(answer: Callable[[str, str], HttpAnswer]) -> type[BaseHTTPRequestHandler]:
    class QueryHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._serve(b"")

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if length > _MOST_BYTES:
                self._send(413, f"the query has more than {_MOST_BYTES} bytes\n".encode())
            else:
                self._serve(self.rfile.read(length))

        def _serve(self, body: bytes) -> None:
            url = urlsplit(self.path)
            if url.path == "/ping":
                self._send(200, b"Ok.\n")
                return
            parameters = parse_qs(url.query)
            sql = "\n".join([*parameters.get("query", []), body.decode("utf-8", "replace")])
            default = parameters.get("default_format", [self.headers.get("X-ClickHouse-Format") or "TabSeparated"])
            self._send(*answer(sql, default[0]))

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Log nothing: queries may hold names of tenants."""

    return QueryHandler
