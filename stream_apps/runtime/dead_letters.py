"""Write the dead letters of a process: the only place where a failure becomes a record of the dead-letter topic.

A dead letter carries the original record, so that it can be redriven, but only as many bytes of originals as a
token bucket grants. Beyond that it carries the coordinates alone, and a redrive reads the original from its own
topic: a flood of bad input must not be stored twice.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from connectors.settings import Section
from connectors.telemetry import metrics
from schemas.codec import Codec
from schemas.dead_letters import dead_letter_of, dead_letter_record, without_original
from schemas.errors import PermanentError
from schemas.events import DeadLetter
from schemas.ids import JobKey
from schemas.records import InboundRecord, OutboundRecord
from stream_apps.runtime.process import now_ms

log = structlog.get_logger()


class DeadLetterSettings(Section):
    """DRAGOMAN_DEAD_LETTERS_*, per process: how many bytes of originals its dead letters may carry."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_DEAD_LETTERS_", frozen=True, extra="forbid")

    bytes_per_second: float = Field(
        default=50_000.0,
        ge=0,
        description="Rate limit of originals in dead letters, for as long as a flood lasts.",
    )
    burst_bytes: int = Field(
        default=20_000_000, ge=0, description="Originals in dead letters at once, after a quiet time."
    )


@dataclass
class TokenBucket:
    """A rate limit: in any t seconds it grants at most `burst_bytes + t * bytes_per_second`. Not thread-safe.

    After burst_bytes / bytes_per_second quiet seconds the whole burst is available again. `clock` counts seconds
    and never goes back.
    """

    bytes_per_second: float
    burst_bytes: int
    clock: Callable[[], float]
    _tokens: float = field(init=False)
    _filled_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._tokens = float(self.burst_bytes)
        self._filled_at = self.clock()

    def grants(self, size_bytes: int) -> bool:
        """Take that many bytes if they are available, and return whether they were. A refusal takes nothing."""
        now = self.clock()
        self._tokens = min(self._tokens + (now - self._filled_at) * self.bytes_per_second, self.burst_bytes)
        self._filled_at = now
        if size_bytes > self._tokens:
            return False
        self._tokens -= size_bytes
        return True


@dataclass(frozen=True)
class DeadLetterWriter:
    """Makes the dead letters of one stage; whoever calls it sends them. `now_ms`: milliseconds since the epoch.

    No call blocks or raises.
    """

    stage: str
    codec: Codec
    token_bucket: TokenBucket
    max_message_bytes: int
    now_ms: Callable[[], int]

    def dead_letter_of(self, record: InboundRecord, error: PermanentError) -> DeadLetter:
        """Return what is known of a record that cannot be processed: the original, where it is, and why."""
        return dead_letter_of(record, error, stage=self.stage, now_ms=self.now_ms())

    def record_of(self, dead_letter: DeadLetter) -> OutboundRecord:
        """Return the dead letter ready to send; count it and log it.

        The original is left out where the token bucket does not grant its bytes, or where the record would be
        larger than Kafka takes; it stays in its topic, at the coordinates that the dead letter names.
        """
        whole = dead_letter_record(dead_letter, self.codec, self.max_message_bytes)
        metrics.DEAD_LETTERS.labels(self.stage, dead_letter.cause).inc()
        log.info(
            "dead_letter",
            stage=self.stage,
            cause=dead_letter.cause,
            attempt=dead_letter.attempt,
            record=dead_letter.coordinates,
            job=_job_of(dead_letter),
            trace=dead_letter.headers,
        )
        if self.token_bucket.grants(len(whole.value or b"")):
            return whole
        metrics.DEAD_LETTERS_WITHOUT_ORIGINAL.labels(self.stage).inc()
        return dead_letter_record(without_original(dead_letter), self.codec, self.max_message_bytes)


def _job_of(dead_letter: DeadLetter) -> JobKey | None:
    tenant, request_id = dead_letter.tenant, dead_letter.request_id
    return JobKey(tenant, request_id) if tenant and request_id else None


def open_dead_letters(
    stage: str, codec: Codec, settings: DeadLetterSettings, max_message_bytes: int
) -> DeadLetterWriter:
    """Return the writer of one process, on the real clocks."""
    token_bucket = TokenBucket(settings.bytes_per_second, settings.burst_bytes, time.monotonic)
    return DeadLetterWriter(stage, codec, token_bucket, max_message_bytes, now_ms)
