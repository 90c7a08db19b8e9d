"""How fast the replicas of a pool are, from their usage events."""

from collections.abc import Sequence
from typing import Any

import pytest

from deploy.autoscaler.backlog import ReplicaSpeed
from deploy.autoscaler.measurement import SpeedMeter
from schemas.codec import Codec
from schemas.events import UsageBatch, UsageEvent
from schemas.records import InboundRecord
from schemas.states import UsageKind


class FakeTail:
    """New records of a topic: these, once."""

    def __init__(self, values: Sequence[bytes]) -> None:
        self._records = [InboundRecord("translation.usage", 0, at, None, one) for at, one in enumerate(values)]

    def take(self, limit: int, timeout_seconds: float) -> list[InboundRecord]:
        records, self._records = self._records[:limit], []
        return records


def compute(**changed: Any) -> UsageEvent:
    usual: dict[str, Any] = {"event_id": "e", "source_words": 100, "busy_ms": 500.0}
    return UsageEvent(**{"kind": UsageKind.COMPUTE, **usual, **changed})


def test_speed_counts_the_engines_work_of_this_pool_only() -> None:
    codec, speed = Codec(), ReplicaSpeed(1.0)
    events = [compute(cached_words=40), compute(kind=UsageKind.BILLED), compute(pool="premium")]
    tail = FakeTail([codec.encode(UsageBatch(events[:2])), codec.encode(UsageBatch(events[2:])), b"no event"])
    SpeedMeter(tail, codec, "default", speed).read()
    expected = ReplicaSpeed(1.0)
    expected.add(60, 0.5)

    assert speed.words_per_second == expected.words_per_second


def test_more_words_of_the_memory_than_there_are_make_nobody_slower() -> None:
    codec, speed = Codec(), ReplicaSpeed(500.0)
    tail = FakeTail([codec.encode(UsageBatch([compute(cached_words=100_000), compute()]))])
    expected = ReplicaSpeed(500.0)
    expected.add(100, 1.0)

    assert SpeedMeter(tail, codec, "default", speed).read() == expected.words_per_second


@pytest.mark.parametrize("spoiled", [{"busy_ms": float("nan")}, {"source_words": -(10**9)}, {"busy_ms": -1e9}])
def test_a_usage_event_that_cannot_be_leaves_the_speed_alone(spoiled: dict[str, float]) -> None:
    codec, speed = Codec(), ReplicaSpeed(500.0, 60.0)
    tail = FakeTail([codec.encode(UsageBatch([compute(**spoiled)]))])

    assert SpeedMeter(tail, codec, "default", speed).read() == 500.0


def test_of_many_records_a_part_is_read_and_tells_the_same_speed() -> None:
    class CountingCodec(Codec):
        decoded = 0

        def decode(self, *arguments: Any) -> Any:
            CountingCodec.decoded += 1
            return super().decode(*arguments)

    codec = CountingCodec()
    tail = FakeTail([codec.encode(UsageBatch([compute()]))] * 1800)

    assert SpeedMeter(tail, codec, "default", ReplicaSpeed(1.0)).read() == pytest.approx(200, rel=0.05)
    assert CountingCodec.decoded == 200
