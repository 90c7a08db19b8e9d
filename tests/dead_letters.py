"""Make dead letter writers whose clock stands still."""

import time

from schemas.codec import Codec
from stream_apps.runtime.dead_letters import DeadLetterWriter, TokenBucket

_STARTED_MS = time.time_ns() // 1_000_000


def dead_letter_writer(
    stage: str, burst_bytes: int = 1_000_000, max_message_bytes: int = 100_000, now_ms: int = _STARTED_MS
) -> DeadLetterWriter:
    """Make a writer whose token bucket is never refilled."""
    return DeadLetterWriter(
        stage, Codec(), TokenBucket(0, burst_bytes, lambda: 0.0), max_message_bytes, lambda: now_ms
    )
