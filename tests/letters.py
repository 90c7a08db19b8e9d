"""Writers of dead letters whose clock stands still."""

import time

from connectors.dead_letters.ration import TokenBucket
from connectors.dead_letters.writer import DeadLetterWriter
from schemas.codec import Codec

_STARTED_MS = time.time_ns() // 1_000_000


def letter_writer(
    stage: str, burst_bytes: int = 1_000_000, max_message_bytes: int = 100_000, now_ms: int = _STARTED_MS
) -> DeadLetterWriter:
    """A writer whose ration is never filled up again."""
    return DeadLetterWriter(stage, Codec(), TokenBucket(0, burst_bytes, lambda: 0.0), max_message_bytes, lambda: now_ms)
