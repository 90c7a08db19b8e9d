"""Serve the dashboard under /dashboard: its files, its panels, and the ways to sign in."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse, RedirectResponse

from connectors.web_page.files import PAGE_HEADERS, PageFiles
from schemas.errors import PermanentError
from stream_apps.dashboard.answers import Ask, Rows, csv_of, panel_rows, shown
from stream_apps.dashboard.description import description
from stream_apps.dashboard.panel import Panel
from stream_apps.dashboard.panels import PAGES, PANELS
from stream_apps.dashboard.parameters import Question, question_of
from stream_apps.dashboard.sessions import Sessions
from stream_apps.dashboard.settings import DashboardSection

PREFIX = "/dashboard"
COOKIE = "dragoman_dashboard"
PAGE = Path(__file__).parent / "page"
CheckToken = Callable[[str], None]
"""Raise PermanentError (unauthorised) unless this header Authorization holds the token."""


class Dashboard:
    """What the routes share. `ask` runs the SQL of panels, `check_token` judges a header Authorization."""

    def __init__(
        self,
        ask: Ask,
        check_token: CheckToken,
        token: str,
        settings: DashboardSection,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._ask, self._check_token, self._settings, self._now = ask, check_token, settings, now
        self._sessions = Sessions(token, settings.session_hours * 3600, settings.link_seconds)
        self._files = PageFiles(directory=PAGE)

    async def page(self, request: Request) -> Response:
        """Show the page, to anybody: it asks for everything else."""
        return await self._files.get_response("index.html", request.scope)

    async def link(self, request: Request) -> Response:
        """Answer who shows the token with the address of a link that signs in once."""
        self._check_token(request.headers.get("Authorization", ""))
        path = f"{PREFIX}/in?ticket={self._sessions.new_link(self._now())}"
        return _json({"path": path, "seconds": self._settings.link_seconds}, 201)

    async def enter(self, request: Request) -> Response:
        """Exchange the ticket of a link for a cookie, and go to the page; the ticket leaves the address."""
        try:
            cookie = self._sessions.redeem(request.query_params.get("ticket", ""), self._now())
        except PermanentError:
            return RedirectResponse(f"{PREFIX}/overview?signed-in=no", 303, headers=PAGE_HEADERS)
        return self._with_cookie(
            RedirectResponse(f"{PREFIX}/overview", 303, headers=PAGE_HEADERS), cookie, request
        )

    async def sign_in(self, request: Request) -> Response:
        """Give a cookie to who shows the token."""
        self._check_token(request.headers.get("Authorization", ""))
        return self._with_cookie(
            Response(status_code=204, headers=PAGE_HEADERS), self._sessions.new_cookie(self._now()), request
        )

    async def sign_out(self, _request: Request) -> Response:
        """Forget the cookie."""
        answer = Response(status_code=204, headers=PAGE_HEADERS)
        answer.delete_cookie(COOKIE, path=PREFIX)
        return answer

    async def describe(self, request: Request) -> Response:
        """Tell which pages there are, with their panels, and the limits."""
        self._check(request)
        return _json(description(PAGES, self._settings))

    async def panel(self, request: Request) -> Response:
        """Answer a panel for a range of time and filters, as JSON or CSV."""
        self._check(request)
        panel = _panel(str(request.path_params["panel_id"]))
        question = question_of(request.query_params.multi_items(), self._now(), self._settings)
        now, before = await self._rows(panel, question)
        if not question.is_csv:
            return Response(shown(panel, question, now, before), 200, _PRIVATE, "application/json")
        name = f'attachment; filename="{panel.id}.csv"'
        return Response(
            csv_of(now, before), 200, {**_PRIVATE, "Content-Disposition": name}, "text/csv; charset=utf-8"
        )

    async def _rows(self, panel: Panel, question: Question) -> tuple[Rows, Rows | None]:
        rows = self._settings.table_rows
        now = await panel_rows(panel, question, self._ask, rows)
        return now, await panel_rows(panel, question.before, self._ask, rows) if question.is_compared else None

    def _check(self, request: Request) -> None:
        if authorization := request.headers.get("Authorization", ""):
            self._check_token(authorization)
        else:
            self._sessions.check_cookie(request.cookies.get(COOKIE, ""), self._now())

    def _with_cookie(self, answer: Response, cookie: str, request: Request) -> Response:
        answer.set_cookie(
            COOKIE,
            cookie,
            max_age=round(self._settings.session_hours * 3600),
            path=PREFIX,
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return answer


def dashboard_router(dashboard: Dashboard) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix=PREFIX, include_in_schema=False)
    router.add_api_route("", _to_overview, methods=["GET"])
    router.add_api_route("/", _to_overview, methods=["GET"])
    for page in PAGES:
        router.add_api_route(f"/{page.id}", dashboard.page, methods=["GET", "HEAD"])
    router.add_api_route("/links", dashboard.link, methods=["POST"])
    router.add_api_route("/in", dashboard.enter, methods=["GET"])
    router.add_api_route("/session", dashboard.sign_in, methods=["POST"])
    router.add_api_route("/session", dashboard.sign_out, methods=["DELETE"])
    router.add_api_route("/api/pages", dashboard.describe, methods=["GET"])
    router.add_api_route("/api/panels/{panel_id}", dashboard.panel, methods=["GET"])
    return router


_PRIVATE = {**PAGE_HEADERS, "Cache-Control": "no-store"}


async def _to_overview() -> Response:
    return RedirectResponse(f"{PREFIX}/overview", 307, headers=PAGE_HEADERS)


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return JSONResponse(body, status, _PRIVATE)


def _panel(panel_id: str) -> Panel:
    panel = PANELS.get(panel_id)
    if panel is None:
        cure = "GET /dashboard/api/pages lists them"
        raise PermanentError("no_such_panel", f"there is no panel {panel_id[:40]!r}", field="panel", cure=cure)
    return panel
