"""Serve the descriptions, and the page that shows them: Swagger UI, from files of this package.

The page runs under the policy of every page of ours, but for two things that Swagger UI needs: pictures that
stand in its style sheet, and HTML that it makes of our own descriptions, past Trusted Types.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse

from connectors.web_page.files import PageFiles, headers_of
from producers.http.description.openapi import openapi_document
from schemas.asyncapi import asyncapi_document
from schemas.topics import TopicPlan

DOCS = Path(__file__).parent / "docs"
_HEADERS = headers_of({"img-src": "'self' data:"}, without=("require-trusted-types-for", "trusted-types"))
_files = PageFiles(DOCS, _HEADERS)

router = APIRouter(include_in_schema=False)


@router.api_route("/docs", methods=["GET", "HEAD"])
async def show_docs(request: Request) -> Response:
    """Show what can be asked, and let it be tried."""
    return await _files.get_response("index.html", request.scope)


@router.get("/openapi.json")
async def read_openapi(request: Request) -> Response:
    """Describe HTTP."""
    return JSONResponse(request.app.openapi())


@router.get("/asyncapi.json")
async def read_asyncapi(request: Request) -> Response:
    """Describe the topics."""
    return JSONResponse(_topics(request.app.state.topics))


@cache
def _topics(plan: TopicPlan) -> Mapping[str, Any]:
    return asyncapi_document(plan)


def mount_docs(app: FastAPI) -> None:
    """Serve the descriptions and their page."""
    app.include_router(router)
    app.mount("/docs/assets", PageFiles(DOCS / "assets", _HEADERS), name="docs-assets")
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]  # FastAPI's documented way


def _document(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        app.openapi_schema = openapi_document(app)
    return app.openapi_schema
