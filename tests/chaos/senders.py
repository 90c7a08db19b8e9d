"""Send requests, and orders to end them, through Kafka (acks=all) and through HTTP, each until it is accepted."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from itertools import count

import httpx
from confluent_kafka import KafkaError, Producer

from tests.chaos.ledger import Ledger
from tests.chaos.traffic import OWN_TENANT, Channel, Order, Request, key_of
from tests.outside import Outside, encoded, request_of

_FINISHED, _ACCEPTED, _UNKNOWN = 200, 202, 404
_TRY_AGAIN_SECONDS = 0.5
_WAIT_SECONDS = 8.0
# Callers are told at once, or when the job is looked at again.
_TOO_LATE_SECONDS = 5.0
_HTTP_THREADS = 16
_SILENCE_SECONDS = 12.0


@dataclass(frozen=True)
class Content:
    """The texts by name, and where they lie in the object store, by tenant and name."""

    texts: Mapping[str, str]
    refs: Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class _Outgoing:
    """A record, and what to do once Kafka has it."""

    topic: str
    key: str
    value: bytes
    on_stored: Callable[[], None]


class KafkaSender:
    """Produces requests and orders. For one thread, which calls `poll` often.

    A client that hears nothing for 12 s is replaced and its unacknowledged requests are sent again: a cluster
    that names no broker while it starts can make a client of librdkafka useless for good.
    """

    def __init__(self, bootstrap: str, content: Content, ledger: Ledger) -> None:
        self._bootstrap = bootstrap
        self._producer = Outside(bootstrap).producer
        self._content = content
        self._ledger = ledger
        self._values = cache(self._value)
        self._waiting: dict[int, _Outgoing] = {}
        self._numbers = count()
        self._replaced: list[Producer] = []
        self._heard_at = time.monotonic()

    def send(self, request: Request) -> None:
        """Produce the request; the ledger is told when Kafka has it. A repeat is the same record, byte by byte."""
        on_stored = partial(self._ledger.accept, request.key, request.reference)
        self._produce(_Outgoing(_topic_of(request), request.key, self._values(request), on_stored))

    def order(self, request: Request, order: Order) -> None:
        """Produce an order about the request."""
        self._ledger.order(request.key)
        tenant = "" if request.tenant == OWN_TENANT else request.tenant
        control = {"tenant": tenant, "request_id": request.name, "action": order.value}
        on_stored = partial(self._ledger.accept_order, request.key, order)
        topic = _own_topic("translation.control", request.tenant)
        self._produce(_Outgoing(topic, request.key, encoded("JobControl", control), on_stored))

    def _produce(self, record: _Outgoing) -> None:
        number = next(self._numbers)
        if not self._waiting:
            self._heard_at = time.monotonic()
        self._waiting[number] = record
        report = partial(self._report, number, record)
        while True:
            try:
                self._producer.produce(record.topic, key=record.key, value=record.value, on_delivery=report)
                return
            except BufferError:
                self._producer.poll(0.1)

    def poll(self) -> None:
        """Handle what Kafka has acknowledged."""
        self._producer.poll(0)
        if self._waiting and time.monotonic() - self._heard_at > _SILENCE_SECONDS:
            self._replace_client()

    def unaccepted(self) -> int:
        """Count the records that Kafka has not acknowledged yet."""
        return len(self._waiting)

    def close(self, timeout_seconds: float = 30.0) -> None:
        """Wait for the acknowledgements that are still missing."""
        self._producer.flush(timeout_seconds)

    def _replace_client(self) -> None:
        again, self._waiting = list(self._waiting.values()), {}
        # Purged, so that it stops trying; what it stores all the same is a repeat. Kept in a list, because its
        # destructor would block.
        self._producer.purge(blocking=False)
        self._replaced.append(self._producer)
        self._producer = Outside(self._bootstrap).producer
        for record in again:
            self._produce(record)

    def _report(self, number: int, record: _Outgoing, error: KafkaError | None, _message: object) -> None:
        if self._waiting.pop(number, None) is None:
            return  # from a client that was replaced
        if error:
            self._produce(record)
        else:
            self._heard_at = time.monotonic()
            record.on_stored()

    def _value(self, request: Request) -> bytes:
        is_document = request.channel is Channel.KAFKA_DOCUMENT
        fields = {
            "request_id": request.name,
            # Its own topics say whose the request is.
            "tenant": "" if request.tenant == OWN_TENANT else request.tenant,
            "text": None if is_document else self._content.texts[request.reference],
            "content_ref": self._content.refs[request.tenant, request.reference] if is_document else None,
        }
        return encoded("TranslationRequest", request_of(**fields))


def _topic_of(request: Request) -> str:
    own = f"{OWN_TENANT}." if request.tenant == OWN_TENANT else ""
    return f"translation.requests.{own}{request.priority}"


def _own_topic(topic: str, tenant: str) -> str:
    return f"{topic}.{tenant}" if tenant == OWN_TENANT else topic


class HttpSender:
    """Posts requests and orders on threads of its own, by a client that shows an operator's key."""

    def __init__(self, client: httpx.Client, content: Content, ledger: Ledger) -> None:
        self._client = client
        self._content = content
        self._ledger = ledger
        self._threads = ThreadPoolExecutor(_HTTP_THREADS, "http")
        self._closing = threading.Event()
        self._numbers = count()
        self._open: set[int] = set()
        self.refused: list[str] = []

    def send(self, request: Request) -> None:
        """Post the request until it is accepted; after a broken connection or a 5xx it is posted again."""
        self._begin(partial(self._post, request), partial(self._note, request))

    def order(self, request: Request, order: Order) -> None:
        """Order the end of the request, an erasure until the request is known and the order accepted."""
        self._ledger.order(request.key)
        self._begin(partial(self._post_order, request, order), partial(self._note_order, request, order))

    def unaccepted(self) -> int:
        """Count the posts that were not accepted yet."""
        return len(self._open)

    def close(self) -> None:
        """Give up what was not accepted."""
        self._closing.set()
        self._threads.shutdown(cancel_futures=True)
        self._client.close()

    def _begin(self, post: Callable[[], httpx.Response], note: Callable[[httpx.Response], bool]) -> None:
        number = next(self._numbers)
        self._open.add(number)
        self._threads.submit(self._post_until_settled, number, post, note)

    def _post_until_settled(
        self, number: int, post: Callable[[], httpx.Response], note: Callable[[httpx.Response], bool]
    ) -> None:
        try:
            while not self._closing.is_set():
                # Where the connection broke, whether it was accepted is unknown.
                with suppress(httpx.TransportError):
                    answer = post()
                    if not answer.is_server_error and note(answer):
                        break
                time.sleep(_TRY_AGAIN_SECONDS)
        except Exception as error:
            # Nobody asks these threads how they ended; the verdict counts what is refused.
            self.refused.append(f"an answer that cannot be read: {error!r}")
        finally:
            self._open.discard(number)

    def _note(self, request: Request, answer: httpx.Response) -> bool:
        if answer.status_code not in {_FINISHED, _ACCEPTED}:
            return self._refuse(request, answer)
        key = key_of(request.tenant, answer.json()["job_id"])
        self._ledger.accept(key, request.reference)
        if answer.status_code == _FINISHED:
            self._ledger.hear(key, answer.json()["result"]["text"])
        elif request.channel is Channel.HTTP_WAITING:
            self._ledger.wait_in_vain(key, _TOO_LATE_SECONDS)
        return True

    def _note_order(self, request: Request, order: Order, answer: httpx.Response) -> bool:
        """Return False where an erasure must be ordered again: the request is under way to HTTP, too."""
        if answer.status_code == _UNKNOWN:
            return order is not Order.ERASE
        if answer.status_code not in {_FINISHED, _ACCEPTED}:
            return self._refuse(request, answer)
        self._ledger.accept_order(request.key, order)
        return True

    def _refuse(self, request: Request, answer: httpx.Response) -> bool:
        self.refused.append(f"{request.key}: {answer.status_code} {answer.text[:300]}")
        return True

    def _post_order(self, request: Request, order: Order) -> httpx.Response:
        url, tenant = f"/api/v1/translations/{request.name}", {"tenant": request.tenant}
        if order is Order.CANCEL:
            return self._client.delete(url, params=tenant)
        return self._client.post(f"{url}/erase", params=tenant)

    def _post(self, request: Request) -> httpx.Response:
        is_document = request.channel is Channel.HTTP_DOCUMENT
        return self._upload(request) if is_document else self._post_text(request)

    def _upload(self, request: Request) -> httpx.Response:
        text = self._content.texts[request.reference]
        fields = {
            "source_language": "en",
            "target_language": "pt",
            "tenant": request.tenant,
            "priority": request.priority,
            "request_id": request.name,
        }
        files = {"file": (f"{request.reference}.txt", text.encode(), "text/plain")}
        return self._client.post("/api/v1/documents", data=fields, files=files)

    def _post_text(self, request: Request) -> httpx.Response:
        has_key = request.channel is Channel.HTTP_WITH_KEY
        body = {
            "text": self._content.texts[request.reference],
            "source_language": "en",
            "target_language": "pt",
            "tenant": request.tenant,
            "priority": request.priority,
        }
        body |= {} if has_key else {"request_id": request.name}
        headers = {"Idempotency-Key": request.name} if has_key else {}
        wait = {"wait": _WAIT_SECONDS} if request.channel is Channel.HTTP_WAITING else {}
        return self._client.post("/api/v1/translations", json=body, headers=headers, params=wait)
