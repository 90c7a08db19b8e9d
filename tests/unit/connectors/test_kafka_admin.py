"""What the admin client makes of a Kafka that is away."""

from concurrent.futures import Future
from types import SimpleNamespace

import pytest

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.settings import KafkaSettings
from schemas.errors import TransientError


class SilentClient:
    """A broker that was just killed: metadata are known, no answer comes."""

    def list_topics(self, timeout: float) -> SimpleNamespace:
        return SimpleNamespace(topics={"t": SimpleNamespace(partitions={0: None}, error=None)})

    def list_offsets(self, places: dict[object, object]) -> dict[object, Future[object]]:
        return {place: Future() for place in places}


def test_a_lag_that_nobody_tells_is_a_transient_failure_and_no_crash():
    asked = KafkaAdmin(KafkaSettings(), timeout_seconds=0.01)
    asked._client = SilentClient()

    with pytest.raises(TransientError, match="did not answer in time"):
        asked.lag("intake", ["t"])
