"""Answer queries over HTTP: the read-only part of ClickHouse's interface, in front of the embedded engine.

GET or POST /?query=SQL (or the SQL in the body), with FORMAT in the SQL or in default_format, and the header
Authorization: Bearer TOKEN. GET /ping asks for no token.
Refusals are RFC 9457 problems that name the cure. Under /dashboard are the pages of stream_apps/dashboard.
"""

import asyncio
import hmac
import json
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import cast

import uvicorn
from fastapi import FastAPI, Request, Response

from connectors.clickhouse.database import Database
from connectors.web_page.files import PageFiles
from schemas.errors import PermanentError, TransientError
from stream_apps.dashboard.routes import PAGE, PREFIX, Dashboard, dashboard_router
from stream_apps.dashboard.settings import DashboardSection
from stream_apps.usage_sink.query_check import CheckedQuery, checked_query, refused_functions
from stream_apps.usage_sink.query_queue import QueryQueue
from stream_apps.usage_sink.settings import QueryLimits

_MOST_BYTES = 1 << 18
# Within this time a query must have come whole.
_BODY_SECONDS = 30.0
# Of clients that are connected at the same time; beyond it they get 503 at once.
_MOST_CONNECTIONS = 200
_STATUS = {
    "unauthorised": HTTPStatus.UNAUTHORIZED,
    "not_a_query": HTTPStatus.FORBIDDEN,
    "reaches_out": HTTPStatus.FORBIDDEN,
    "no_such_panel": HTTPStatus.NOT_FOUND,
    "panel_failed": HTTPStatus.INTERNAL_SERVER_ERROR,
    "body_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "body_too_slow": HTTPStatus.REQUEST_TIMEOUT,
    "busy": HTTPStatus.SERVICE_UNAVAILABLE,
    "unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
}
_HEADERS = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "Bearer"},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": "1"},
}
_FUNCTIONS = """
SELECT f.name, if(f.categories = '', t.categories, f.categories)
FROM system.functions AS f LEFT JOIN system.functions AS t ON f.alias_to = t.name
"""
_TOKEN_CURE = (
    "send the header 'Authorization: Bearer TOKEN'; 'dragoman up' keeps its token in data/analytics.token"
)
_NO_TOKEN_CURE = "set DRAGOMAN_ANALYTICS_TOKEN or DRAGOMAN_ANALYTICS_TOKEN_FILE for the analytics process"


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


class QueryServer:
    """Answers queries from its construction on, as many at a time as there are databases.

    Close it at the end, before the databases, which belong to whoever opened them.
    """

    def __init__(
        self,
        databases: Sequence[Database],
        access: Access,
        limits: QueryLimits,
        dashboard: DashboardSection | None = None,
    ) -> None:
        self._queue = QueryQueue(databases, limits)
        refused = refused_functions((name, category) for name, category in databases[0].rows(_FUNCTIONS))
        self._socket = socket.create_server((access.host, access.port), family=_family(access.host))
        app = query_app(self._queue, access, limits, refused)
        if dashboard and dashboard.enabled:
            _add_dashboard(app, self._queue, access, limits, dashboard)
        self._server = _QuietServer(_config(app))
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="queries", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """Return the port on which it listens."""
        return int(self._socket.getsockname()[1])

    def close(self) -> None:
        """Stop answering. Blocks until the queries that run have ended."""
        self._server.stop()
        self._thread.join()
        self._queue.close()
        self._socket.close()


def query_app(queue: QueryQueue, access: Access, limits: QueryLimits, refused: frozenset[str]) -> FastAPI:
    """Build the application."""
    app = FastAPI(title="Dragoman: queries", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/ping")
    async def ping() -> Response:
        return Response("Ok.\n")

    @app.api_route("/", methods=["GET", "POST"])
    async def query(request: Request) -> Response:
        try:
            access.check(request.headers.get("Authorization", ""))
            found = checked_query(await _sql_of(request), _format_of(request), refused)
            return Response(await _answered(queue, found, limits), media_type="application/octet-stream")
        except PermanentError as error:
            return problem(error)

    return app


def _add_dashboard(
    app: FastAPI, queue: QueryQueue, access: Access, limits: QueryLimits, settings: DashboardSection
) -> None:
    async def ask(sql: str, parameters: Mapping[str, str | int]) -> bytes:
        return await _run(queue, lambda database: database.answer(sql, "JSONCompact", limits.settings, parameters))

    async def refuse(_request: Request, error: Exception) -> Response:
        return problem(cast("PermanentError", error))

    app.include_router(dashboard_router(Dashboard(ask, access.check, access.token, settings)))
    app.mount(f"{PREFIX}/assets", PageFiles(directory=PAGE / "assets"), name="dashboard")
    app.add_exception_handler(PermanentError, refuse)


def problem(error: PermanentError) -> Response:
    """Return an RFC 9457 problem, as the HTTP interface of the platform does."""
    status = _STATUS.get(error.cause, HTTPStatus.BAD_REQUEST)
    known = {
        "type": f"urn:dragoman:problem:{error.cause}",
        "title": status.phrase,
        "status": status.value,
        "detail": error.message,
        "field": error.field,
        "limit": error.limit,
        "cure": error.cure,
    }
    body = {name: value for name, value in known.items() if value is not None}
    content = json.dumps(body, ensure_ascii=False).encode() + b"\n"
    return Response(content, status, _HEADERS.get(status), "application/problem+json")


async def _answered(queue: QueryQueue, query: CheckedQuery, limits: QueryLimits) -> bytes:
    return await _run(queue, lambda database: database.answer(query.sql, query.fmt, limits.settings))


async def _run(queue: QueryQueue, work: Callable[[Database], bytes]) -> bytes:
    try:
        return await queue.run(work)
    except TransientError as error:
        cure = "ask again in a moment; /ready of the analytics process tells what is wrong"
        raise PermanentError("unavailable", str(error), cure=cure) from error


async def _sql_of(request: Request) -> str:
    try:
        body = await asyncio.wait_for(_body_of(request), _BODY_SECONDS)
    except TimeoutError:
        limit, cure = f"{_BODY_SECONDS:g} s", "send the query at once"
        raise PermanentError("body_too_slow", "the query did not come in time", limit=limit, cure=cure) from None
    return "\n".join([*request.query_params.getlist("query"), body.decode("utf-8", "replace")])


async def _body_of(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            limit, cure = f"{_MOST_BYTES} bytes", "send a shorter query"
            raise PermanentError("body_too_large", "the query is too long", limit=limit, cure=cure)
    return bytes(body)


def _format_of(request: Request) -> str:
    asked = request.query_params.get("default_format") or request.headers.get("X-ClickHouse-Format")
    return asked or "TabSeparated"


class _QuietServer(uvicorn.Server):
    """uvicorn looks ten times a second whether it should end; this one is told."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._begun = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None

    async def main_loop(self) -> None:
        """Wait until `stop`."""
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        self._begun.set()
        await self._ended.wait()

    def stop(self) -> None:
        """End it, from another thread."""
        self._begun.wait()
        if self._loop and self._ended:
            self._loop.call_soon_threadsafe(self._ended.set)


def _config(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        # Nothing is logged: queries may hold names of tenants.
        log_level="critical",
        access_log=False,
        lifespan="off",
        # It would be the time of the start: the loop that keeps it does not run.
        date_header=False,
        server_header=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=5,
    )


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
