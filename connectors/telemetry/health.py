"""Serve liveness, readiness and metrics of a process over HTTP.

A process that runs without making progress is dead: /health fails when `beat` has not been called for a while.
"""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder

_OK, _UNAVAILABLE, _NOT_FOUND = 200, 503, 404


class Health:
    """Whether a process makes progress and whether it is ready. Thread-safe. Times in seconds."""

    def __init__(self, silence_seconds: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._silence_seconds = silence_seconds
        self._last_beat = clock()
        self._reason = "starting"
        self._objection = ""

    def beat(self) -> None:
        """Note that work went on, or that there was none to do."""
        self._last_beat = self._clock()

    def ready(self) -> None:
        """Note that the process can do its job."""
        self._reason = ""

    def not_ready(self, reason: str) -> None:
        """Note that the process cannot do its job, and why."""
        self._reason = reason

    def object(self, reason: str) -> None:
        """Note why it must not count as ready, whatever `ready` says; an empty reason ends that."""
        self._objection = reason

    @property
    def reason(self) -> str:
        """Return why it is not ready; empty when it is."""
        return self._objection or self._reason

    def silent_seconds(self) -> float:
        """Return the time since the last beat."""
        return self._clock() - self._last_beat

    def is_alive(self) -> bool:
        """Tell whether there was a beat lately."""
        return self.silent_seconds() < self._silence_seconds


class BackgroundServer:
    """Serves HTTP on threads of its own from its construction on; whoever opens it closes it."""

    def __init__(self, handler: type[BaseHTTPRequestHandler], host: str, port: int, name: str) -> None:
        self._server = ThreadingHTTPServer((host, port), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name=name, daemon=True).start()

    @property
    def port(self) -> int:
        """Return the port on which it listens."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Stop answering. Blocks until the server thread has ended."""
        self._server.shutdown()
        self._server.server_close()


class HealthServer(BackgroundServer):
    """Answers GET /health, /ready and /metrics."""

    def __init__(self, health: Health, host: str, port: int) -> None:
        super().__init__(_handler(health), host, port, "health")


def serve_health(health: Health, port: int, host: str = "127.0.0.1") -> HealthServer:
    """Start a server, which answers at once; the caller closes it."""
    return HealthServer(health, host, port)


def answer_of(health: Health, path: str, accept: str = "") -> tuple[int, str, bytes]:
    """Return status, content type and body for a path.

    Who accepts OpenMetrics, as Prometheus does, gets metrics with their exemplars.
    """
    match path.partition("?")[0]:
        case "/health":
            alive = health.is_alive()
            return _json(alive, {"alive": alive, "silent_seconds": round(health.silent_seconds(), 1)})
        case "/ready":
            return _json(not health.reason, {"ready": not health.reason, "reason": health.reason})
        case "/metrics":
            encode, content_type = choose_encoder(accept)
            return _OK, content_type, encode(REGISTRY)
    return _NOT_FOUND, "application/json", b'{"paths": ["/health", "/ready", "/metrics"]}'


def _json(good: bool, body: dict[str, Any]) -> tuple[int, str, bytes]:
    return _OK if good else _UNAVAILABLE, "application/json", json.dumps(body).encode()


def _handler(health: Health) -> type[BaseHTTPRequestHandler]:
    class HealthHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, content_type, body = answer_of(health, self.path, self.headers.get("Accept", ""))
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Log nothing: probes come every second."""

    return HealthHandler
