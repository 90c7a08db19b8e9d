"""Build the ASGI application from its routes, errors, limits and metrics."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from connectors.telemetry.health import Health
from producers.http import problems
from producers.http.admission.logins import Logins
from producers.http.compatible import (
    deepl,
    deepl_documents,
    deepl_glossaries,
    deepl_multilingual,
    libretranslate,
    libretranslate_files,
)
from producers.http.documents import document_routes
from producers.http.documents.document_routes import UPLOAD_PATHS
from producers.http.documents.documents import OpenUploads
from producers.http.middleware import BodyLimit, OpenSubmissions, RequestMetrics
from producers.http.page_routes import mount_page
from producers.http.ports import Ports
from producers.http.settings import HttpLimits
from producers.http.tenants import account_routes, delivery_routes, glossary_routes, usage_routes
from producers.http.translations import language_routes
from producers.http.translations.events import OpenStreams
from producers.http.translations.routes import router
from stream_apps.pipeline.request_limits import RequestLimits

VERSION = "1"

_SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, or the token of a login."},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
_OPEN_PATHS = ("/auth/login", "/health", "/ready", "/metrics")

_UPLOAD_PATHS = UPLOAD_PATHS | {deepl_documents.UPLOAD_PATH, libretranslate_files.UPLOAD_PATH}

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


@dataclass(frozen=True)
class AppSettings:
    """The limits of the application: of this process and of a request."""

    limits: HttpLimits
    requests: RequestLimits


def create_app(ports: Ports, settings: AppSettings, health: Health, lifespan: Lifespan | None = None) -> FastAPI:
    """Build an application that owns nothing: the caller closes the ports."""
    app = FastAPI(
        title="Dragoman",
        version=VERSION,
        description="Ask for translations and read their progress and results.",
        lifespan=lifespan,
        redoc_url=None,
    )
    app.state.ports = ports
    app.state.limits = limits = settings.limits
    app.state.logins = Logins(ports.accounts, limits)
    app.state.streams = OpenStreams(limits.max_streams)
    app.state.uploads = OpenUploads(limits.max_open_uploads)
    app.state.request_limits = settings.requests
    app.state.health = health
    app.include_router(router)
    app.include_router(document_routes.router)
    app.include_router(account_routes.router)
    app.include_router(delivery_routes.router)
    app.include_router(language_routes.router)
    app.include_router(glossary_routes.router)
    app.include_router(usage_routes.router)
    app.include_router(libretranslate.router)
    app.include_router(deepl.router)
    app.include_router(deepl_documents.router)
    app.include_router(deepl_glossaries.router)
    app.include_router(deepl_multilingual.router)
    app.include_router(libretranslate_files.router)
    mount_page(app)
    problems.install(app)
    uploads = dict.fromkeys(_UPLOAD_PATHS, limits.max_document_bytes)
    app.add_middleware(BodyLimit, max_body_bytes=limits.max_body_bytes, by_path=uploads)
    app.add_middleware(OpenSubmissions, limits=limits, streamed=_UPLOAD_PATHS)
    app.add_middleware(RequestMetrics)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]  # FastAPI's documented way
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        parts = schema["components"]["schemas"]
        for replaced in ("HTTPValidationError", "ValidationError"):
            parts.pop(replaced, None)
        parts |= problems.openapi_schemas()
        schema["components"]["securitySchemes"] = _SECURITY_SCHEMES
        _require_keys(schema["paths"])
        app.openapi_schema = schema
    return app.openapi_schema


def _require_keys(paths: dict[str, Any]) -> None:
    for path, operations in paths.items():
        if path not in _OPEN_PATHS:
            for operation in operations.values():
                operation["security"] = [{name: []} for name in _SECURITY_SCHEMES]
