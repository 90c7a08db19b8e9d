"""Build the ASGI application from its routes, errors, limits and metrics."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from connectors.telemetry.health import Health
from producers.http import problems
from producers.http.events import OpenStreams
from producers.http.middleware import BodyLimit, OpenSubmissions, RequestMetrics
from producers.http.ports import Ports
from producers.http.routes import router
from producers.http.settings import HttpLimits
from stream_apps.pipeline.request_rules import RequestLimits

VERSION = "1"

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(
    ports: Ports, limits: HttpLimits, requests: RequestLimits, health: Health, lifespan: Lifespan | None = None
) -> FastAPI:
    """Build an application that owns nothing: the caller closes the ports."""
    app = FastAPI(
        title="Dragoman",
        version=VERSION,
        description="Ask for translations and read their progress and results.",
        lifespan=lifespan,
        redoc_url=None,
    )
    app.state.ports = ports
    app.state.limits = limits
    app.state.streams = OpenStreams(limits.max_streams)
    app.state.request_limits = requests
    app.state.health = health
    app.include_router(router)
    problems.install(app)
    app.add_middleware(BodyLimit, max_body_bytes=limits.max_body_bytes)
    app.add_middleware(OpenSubmissions, limits=limits)
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
        app.openapi_schema = schema
    return app.openapi_schema
