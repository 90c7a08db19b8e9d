"""Open what reads whole topics or the books: for calls that are slow, and rare beside the others."""

import threading
from dataclasses import dataclass
from functools import partial

from connectors.kafka.producer import DurableProducer
from connectors.object_store import open_objects
from connectors.redis.client import AsyncClient
from connectors.redis.tenant_erasures import AsyncRedisTenantErasures
from producers.http.blocking.dead_letters import DeadLetters, KafkaDeadLetters
from producers.http.blocking.pacing import Pace
from producers.http.blocking.past_jobs import BookedJobs, NoPastJobs, PastJobs
from producers.http.blocking.tenant_erasing import TenantErasing
from producers.http.blocking.usage import AnalyticsBooks, Books, NoBooks
from producers.http.settings import HttpSettings
from schemas.codec import Codec
from schemas.topics import RESULT_RETENTION_MS
from stream_apps.redrive.erasing import TenantEraser
from stream_apps.redrive.redrive import DeadLetterAdmin
from stream_apps.redrive.sources import read_topic
from stream_apps.runtime.process import now_ms


@dataclass(frozen=True)
class BlockingParts:
    """Makes them for one process. `ending`, once set, ends what they read."""

    settings: HttpSettings
    codec: Codec
    ending: threading.Event

    def erasing(self, producer: DurableProducer, state: AsyncClient) -> TenantErasing:
        """Return what erases tenants; close it before the producer and the client."""
        kafka, limits, pace = self.settings.kafka, self.settings.http, self._pace
        eraser = TenantEraser(
            lambda topic: pace.over(read_topic(kafka, topic)),
            producer,
            self.codec,
            now_ms,
            kafka.tenants,
            limits.max_erasure_keys,
        )
        notes = AsyncRedisTenantErasures(state)
        return TenantErasing(eraser, notes, now_ms, limits.max_waiting_erasures, self.ending)

    def dead_letters(self) -> DeadLetters:
        """Return what lists dead letters and redrives them, in the batches of this deployment."""
        settings, limits = self.settings, self.settings.http
        admin = DeadLetterAdmin(settings.kafka, self.codec, self._pace.over, now_ms, settings.requests.bulk_words)
        objects, batches = open_objects(settings.objects), settings.cutting.batch
        return KafkaDeadLetters(
            partial(admin.oldest, most=limits.max_dead_letters),
            lambda wanted: admin.redrive(wanted, objects, batches, is_dry_run=False),
            limits.max_waiting_redrives,
        )

    def books(self) -> Books:
        """Return what tells of usage."""
        opener = self.settings.books.opener()
        return AnalyticsBooks(opener) if opener else NoBooks()

    def past_jobs(self) -> PastJobs:
        """Return what tells of jobs that the state has forgotten."""
        opener = self.settings.books.opener()
        return BookedJobs(opener, RESULT_RETENTION_MS, now_ms) if opener else NoPastJobs()

    @property
    def _pace(self) -> Pace:
        return Pace(self.settings.http.reading_share, self.ending)
