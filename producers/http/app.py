"""Build the ASGI application from its routes, errors, limits and metrics."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from connectors.telemetry.health import Health
from producers.http import probe_routes, problems
from producers.http.admission.logins import Logins
from producers.http.compatible import (
    deepl,
    deepl_documents,
    deepl_glossaries,
    deepl_multilingual,
    libretranslate,
    libretranslate_files,
)
from producers.http.compatible.errors import refusal_for, unknown_route
from producers.http.description.docs_routes import mount_docs
from producers.http.documents import document_routes, format_routes
from producers.http.documents.document_routes import UPLOAD_PATHS
from producers.http.documents.uploads import OpenUploads
from producers.http.errors import OverloadedError
from producers.http.middleware import BodyLimit, OpenSubmissions, RequestMetrics
from producers.http.page_routes import mount_page
from producers.http.ports import Ports
from producers.http.settings import HttpLimits
from producers.http.tenants import (
    account_routes,
    dead_letter_routes,
    delivery_routes,
    erasure_routes,
    glossary_routes,
    usage_routes,
)
from producers.http.tracing import RequestSpans
from producers.http.translations import language_routes
from producers.http.translations.events import OpenStreams
from producers.http.translations.routes import router, submissions
from schemas.topics import TopicPlan
from stream_apps.pipeline.request_limits import RequestLimits

VERSION = "1"

_OURS = (
    submissions,
    router,
    probe_routes.router,
    document_routes.router,
    format_routes.router,
    account_routes.router,
    delivery_routes.router,
    language_routes.router,
    glossary_routes.router,
    usage_routes.router,
    erasure_routes.router,
    dead_letter_routes.router,
)
COMPATIBLE = (
    libretranslate.router,
    libretranslate_files.router,
    deepl.router,
    deepl_documents.router,
    deepl_glossaries.router,
    deepl_multilingual.router,
)

# Whose words are answered where there is no route.
_DIALECTS = {"/v2/": deepl.ERRORS, "/v3/": deepl.ERRORS}
_UPLOAD_PATHS = UPLOAD_PATHS | {deepl_documents.UPLOAD_PATH, libretranslate_files.UPLOAD_PATH}

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


@dataclass(frozen=True)
class AppSettings:
    """The limits of the application, of this process and of a request; and the topics that it describes."""

    limits: HttpLimits
    requests: RequestLimits
    topics: TopicPlan = field(default_factory=TopicPlan)


def create_app(ports: Ports, settings: AppSettings, health: Health, lifespan: Lifespan | None = None) -> FastAPI:
    """Build an application that owns nothing: the caller closes the ports."""
    app = bare_app(lifespan)
    app.state.ports = ports
    app.state.limits = limits = settings.limits
    app.state.logins = Logins(ports.accounts, limits)
    app.state.streams = OpenStreams(limits.max_streams)
    app.state.uploads = OpenUploads(limits.max_open_uploads)
    app.state.request_limits = settings.requests
    app.state.health = health
    app.state.topics = settings.topics
    app.state.job_urls = {}
    problems.install(app)
    app.add_exception_handler(HTTPException, _http_error)
    uploads = dict.fromkeys(_UPLOAD_PATHS, limits.max_document_bytes)
    app.add_middleware(BodyLimit, max_body_bytes=limits.max_body_bytes, by_path=uploads)
    app.add_middleware(OpenSubmissions, limits=limits, streamed=_UPLOAD_PATHS, refusal=_refusal)
    app.add_middleware(RequestSpans, tracer=ports.tracer)
    app.add_middleware(RequestMetrics)
    return app


def _refusal(request: Request, error: OverloadedError) -> Response:
    return refusal_for(request, error, COMPATIBLE) or problems.overloaded_response(request, error)


async def _http_error(request: Request, error: Any) -> Response:
    return unknown_route(request, error, _DIALECTS) or await problems.http_problem(request, error)


def bare_app(lifespan: Lifespan | None = None) -> FastAPI:
    """Build an application of routes alone: it cannot answer, but it can be described."""
    app = FastAPI(
        title="Dragoman",
        version=VERSION,
        description="Ask for translations and read their progress and results.",
        lifespan=lifespan,
        # Served by description/docs_routes.py: FastAPI's own page loads its scripts from a foreign host.
        openapi_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    for one in (*_OURS, *COMPATIBLE):
        app.include_router(one)
    mount_page(app)
    mount_docs(app)
    return app
