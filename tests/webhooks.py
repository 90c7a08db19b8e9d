"""Deliveries for tests, and an HTTP server on loopback that receives webhooks."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from schemas.deliveries import Delivery, DeliveryKey
from schemas.ids import JobKey
from schemas.messages import TranslationResult
from schemas.states import ResultStatus

NOW_MS = 1_700_000_000_000
CALLBACK = "https://hooks.acme.example/in"
RESULT = TranslationResult(
    tenant="acme",
    request_id="r 1",
    status=ResultStatus.COMPLETED,
    text="Bom dia.",
    source_words=2,
    completed_at=NOW_MS,
    callback=CALLBACK,
)


def delivery(request_id="r1", url=CALLBACK, version=1, due_at=NOW_MS, **rest) -> Delivery:
    key = DeliveryKey(JobKey("acme", request_id), version)
    return Delivery(key=key, url=url, body='{"type":"t"}', started_at=NOW_MS, due_at=due_at, **rest)


@dataclass
class Receiver:
    """Answers each POST with the next of `answers`, the last one again and again. `seconds` before the answer."""

    url: str = ""
    answers: list[int] = field(default_factory=lambda: [204])
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def bodies(self) -> list[dict[str, object]]:
        return [json.loads(body) for _, body in self.received]


@contextmanager
def receiving(**rest: object) -> Iterator[Receiver]:
    """Return a receiver that listens until the context ends."""
    receiver = Receiver(**rest)  # type: ignore[arg-type]  # the fields of Receiver

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
            time.sleep(receiver.seconds)
            answers = receiver.answers
            self.send_response(answers.pop(0) if len(answers) > 1 else answers[0])
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/in?from=dragoman"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
