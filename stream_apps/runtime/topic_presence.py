"""Wait at the start until the topics are there.

Faust never notices a topic that appears later, and a transaction that writes to a missing one holds up all others.
"""

import time
from collections.abc import Callable
from typing import Protocol

import structlog

from schemas.errors import FatalError, TransientError

log = structlog.get_logger()

_RETRY_SECONDS = 1.0


class TopicSource(Protocol):
    """What Kafka knows of the topics (connectors.kafka.admin.KafkaAdmin)."""

    def check_topics(self) -> list[str]:
        """Return one line for every difference from the topic catalogue. Blocks; raises TransientError."""


def wait_for_topics(
    admin: TopicSource,
    startup_seconds: float,
    sleep: Callable[[float], object] = time.sleep,
    should_stop: Callable[[], bool] = lambda: False,
) -> None:
    """Block until every topic exists as the catalogue says, or the process is to stop.

    Raises FatalError after `startup_seconds`, naming the differences.
    """
    waited = 0.0
    while not should_stop() and (problems := _topic_problems(admin)):
        if waited >= startup_seconds:
            raise FatalError(f"topics are not as the catalogue says: {'; '.join(problems)}")
        log.warning("topics_missing", problems=problems)
        sleep(_RETRY_SECONDS)
        waited += _RETRY_SECONDS


def _topic_problems(admin: TopicSource) -> list[str]:
    try:
        return admin.check_topics()
    except TransientError as error:
        return [str(error)]
