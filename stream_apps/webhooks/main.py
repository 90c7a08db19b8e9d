"""Wire the webhooks process: the main thread takes results, an event loop on another one delivers.

Several instances may run: each takes its partitions of the results, and all share one queue.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.committing_reader import CommittingReader
from connectors.kafka.partition_reader import LogScan
from connectors.kafka.schema_registry import open_codec
from connectors.redis.client import open_state, open_state_async
from connectors.redis.deliveries import AsyncRedisDeliveries, RedisDeliveries
from connectors.telemetry.health import Health
from connectors.tracing.opening import tracing
from connectors.tracing.spans import Tracer
from connectors.webhooks.client import WebhookClient
from schemas.codec import Codec
from schemas.errors import FatalError
from schemas.topics import RESULTS, WEBHOOKS_GROUP
from stream_apps.accounts.store import KafkaAccounts
from stream_apps.accounts.webhook_secrets import WebhookSecrets
from stream_apps.runtime.consumer_health import ConsumerHealthMonitor, joined
from stream_apps.runtime.process import Process, now_ms, run_process
from stream_apps.runtime.retrying_loop import RetryingLoop
from stream_apps.runtime.state_watch import on_sound_state
from stream_apps.webhooks.dispatcher import STAGE, Dispatcher
from stream_apps.webhooks.recovery import DeliveryRecovery
from stream_apps.webhooks.secret_book import SecretBook
from stream_apps.webhooks.settings import WebhookSettings
from stream_apps.webhooks.taking import Taker

# Whoever starts the process kills it after 30 s; an attempt that is cut off is made again.
_MOST_END_SECONDS = 20.0


def main() -> None:
    """Run the webhooks process until SIGTERM."""
    run_process(STAGE, WebhookSettings, on_sound_state(run))


def run(settings: WebhookSettings, process: Process) -> None:
    """Take results on this thread and deliver on another. Raises FatalError."""
    secrets = settings.signing.open()
    if secrets is None:
        raise FatalError("webhooks must be signed: set DRAGOMAN_SIGNING_SECRETS_FILE (openssl rand -hex 32)")
    codec = open_codec(settings.kafka)
    reader = CommittingReader(settings.kafka, WEBHOOKS_GROUP, [RESULTS], settings.instance)
    monitor = ConsumerHealthMonitor(settings.kafka, [reader], process.health)
    with (
        tracing(settings.tracing, STAGE, settings.instance) as tracer,
        delivering(Delivering(settings, secrets, codec, tracer)) as delivery,
        joined(settings.kafka, settings.instance, monitor, process.shutdown),
    ):
        process.started()
        RetryingLoop(
            stage=STAGE,
            turn=_taker(settings, reader, delivery, process.health).turn,
            rewind=reader.rewind,
            should_stop=lambda: process.shutdown.is_wanted() or delivery.failure is not None,
            sleep=process.shutdown.wait,
            on_waiting=monitor.waits,
            on_working=monitor.works,
        ).run()
        reader.commit_now()
    if delivery.failure:
        raise FatalError(f"the deliveries ended: {delivery.failure}") from delivery.failure


def _taker(settings: WebhookSettings, reader: CommittingReader, delivery: "Delivering", health: Health) -> Taker:
    deliveries = RedisDeliveries(open_state(settings.redis), settings.redis.done_ttl_seconds)
    admin = KafkaAdmin(settings.kafka)
    taker = Taker(reader, deliveries, delivery.codec, settings.webhooks, now_ms, delivery.wake)
    recovery = DeliveryRecovery(
        mark=deliveries,
        note=taker.note,
        open_log=lambda since_ms: LogScan(settings.kafka, admin.spans([RESULTS], since_ms)),
        window_ms=settings.webhooks.give_up_ms,
        now_ms=now_ms,
        on_progress=health.beat,
    )
    taker.ensure_state = recovery.ensure
    return taker


@dataclass
class Delivering:
    """The event loop of the deliveries, on a thread of its own; `failure` is what ended it."""

    settings: WebhookSettings
    secrets: WebhookSecrets
    codec: Codec
    tracer: Tracer
    failure: Exception | None = None
    _loop: asyncio.AbstractEventLoop | None = field(default=None, init=False)
    _dispatcher: Dispatcher | None = field(default=None, init=False)
    _stopped: threading.Event = field(default_factory=threading.Event, init=False)

    def run(self) -> None:
        """Deliver until `stop`, then end the attempts under way."""
        try:
            asyncio.run(self._run())
        except Exception as error:  # whatever it is, the main thread ends the process with it
            self.failure = error

    def wake(self) -> None:
        """Have it look for what is due. For any thread."""
        if self._loop and self._dispatcher and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._dispatcher.wake)

    def stop(self) -> None:
        """Have it end. For any thread."""
        self._stopped.set()
        self.wake()

    async def _run(self) -> None:
        settings, limits = self.settings, self.settings.webhooks
        state = open_state_async(settings.redis)
        accounts = KafkaAccounts(settings.kafka, self.codec)
        self._dispatcher = Dispatcher(
            AsyncRedisDeliveries(state, settings.redis.done_ttl_seconds),
            WebhookClient(limits.timeout_seconds, settings.requests.callback_private_hosts),
            SecretBook(accounts, self.secrets, limits.secrets_seconds, now_ms).of,
            limits,
            now_ms,
            self.tracer,
        )
        self._loop = asyncio.get_running_loop()
        try:
            await self._dispatcher.run(self._stopped.is_set)
        finally:
            await state.aclose()


@contextmanager
def delivering(delivery: Delivering) -> Iterator[Delivering]:
    """Deliver inside the context; its end waits for the attempts under way."""
    thread = threading.Thread(target=delivery.run, name="deliveries", daemon=True)
    thread.start()
    try:
        yield delivery
    finally:
        delivery.stop()
        thread.join(_MOST_END_SECONDS)


if __name__ == "__main__":
    main()
