"""Counts and times every answer by its route."""

from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.telemetry.metrics import HTTP_REQUESTS, HTTP_SECONDS


class RequestMetrics:
    """Around the whole application, errors included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Looks at the status as it passes by."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, started = 500, perf_counter()

        async def noted(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            # The template, not the path: ids would make a series each.
            route = getattr(scope.get("route"), "path", "unknown")
            HTTP_REQUESTS.labels(scope["method"], route, str(status)).inc()
            HTTP_SECONDS.labels(route).observe(perf_counter() - started)
