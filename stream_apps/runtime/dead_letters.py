"""How much of what cannot be processed is kept twice.

A token bucket that counts bytes. Pure: time is injected.

The one place where a failure becomes a record of translation.dead_letters.
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
from schemas.records import InboundRecord, OutboundRecord


class DeadLetterSettings(Section):
    """DRAGOMAN_DEAD_LETTERS_*, of each process. Beyond the ration letters carry coordinates only."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_DEAD_LETTERS_", frozen=True, extra="forbid")

    bytes_per_second: float = Field(
        default=50_000.0, ge=0, description="Originals in letters, for as long as a flood lasts."
    )
    burst_bytes: int = Field(default=20_000_000, ge=0, description="Originals in letters after a quiet time.")


@dataclass
class TokenBucket:
    """In any span of t seconds no more than `burst_bytes + t * bytes_per_second` are granted.

    After burst_bytes / bytes_per_second quiet seconds the whole burst is there again. `clock` counts seconds and
    never goes back.
    """

    bytes_per_second: float
    burst_bytes: int
    clock: Callable[[], float]
    _left: float = field(init=False)
    _at: float = field(init=False)

    def __post_init__(self) -> None:
        self._left = float(self.burst_bytes)
        self._at = self.clock()

    def grants(self, size_bytes: int) -> bool:
        """Whether so many bytes fit in now; then they are taken. What is refused costs nothing."""
        now = self.clock()
        self._left = min(self._left + (now - self._at) * self.bytes_per_second, self.burst_bytes)
        self._at = now
        if size_bytes > self._left:
            return False
        self._left -= size_bytes
        return True


log = structlog.get_logger()


@dataclass(frozen=True)
class DeadLetterWriter:
    """Writes the letters of one stage. `now_ms` is milliseconds since the epoch."""

    stage: str
    codec: Codec
    token_bucket: TokenBucket
    max_message_bytes: int
    now_ms: Callable[[], int]

    def dead_letter_of(self, record: InboundRecord, error: PermanentError) -> DeadLetter:
        """What there is to say of a record that cannot be processed."""
        return dead_letter_of(record, error, stage=self.stage, now_ms=self.now_ms())

    def record_of(self, dead_letter: DeadLetter) -> OutboundRecord:
        """The letter, ready to send, counted and logged.

        The original stays behind, in the topic that the coordinates name, where it would exceed the ration or
        what Kafka takes in one record.
        """
        whole = dead_letter_record(dead_letter, self.codec, self.max_message_bytes)
        metrics.DEAD_LETTERS.labels(self.stage, dead_letter.cause).inc()
        log.info(
            "dead_letter",
            stage=self.stage,
            cause=dead_letter.cause,
            attempt=dead_letter.attempt,
            record=_of(dead_letter),
        )
        if self.token_bucket.grants(len(whole.value or b"")):
            return whole
        metrics.DEAD_LETTERS_RATIONED.labels(self.stage).inc()
        return dead_letter_record(without_original(dead_letter), self.codec, self.max_message_bytes)


def open_dead_letters(
    stage: str, codec: Codec, settings: DeadLetterSettings, max_message_bytes: int
) -> DeadLetterWriter:
    """The writer of one process."""
    token_bucket = TokenBucket(settings.bytes_per_second, settings.burst_bytes, time.monotonic)
    return DeadLetterWriter(stage, codec, token_bucket, max_message_bytes, lambda: time.time_ns() // 1_000_000)


def _of(dead_letter: DeadLetter) -> str:
    return f"{dead_letter.topic}-{dead_letter.partition}-{dead_letter.offset}"
