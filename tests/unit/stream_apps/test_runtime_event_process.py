"""A process ends when it stands still."""

import asyncio

import pytest

from connectors.faust.settings import FaustSettings
from connectors.kafka.group_lag import LagReader, PartitionLag
from connectors.kafka.settings import KafkaSettings
from connectors.telemetry.health import Health
from schemas.errors import FatalError
from stream_apps.runtime.event_process import EventProcess, GroupMember


@pytest.fixture
def measure(monkeypatch):
    """Measure once for each committed offset of the one partition, which ends at 10, with a pause in between."""
    monkeypatch.setattr(EventProcess, "assignment", lambda _process: {("in", 0)})

    def measure_each(*committed, pause):
        now, found = [0.0], list(committed)
        settings, member = KafkaSettings(bootstrap="127.0.0.1:1"), GroupMember("g", "i")
        process = EventProcess(member, settings, FaustSettings(stalled_seconds=45), Health(clock=lambda: now[0]))
        lags = LagReader(lambda _: {"g": [PartitionLag("in", 0, found.pop(0), 10)]}, lambda _lag: False)
        while found:
            asyncio.run(process._measure(lags))
            now[0] += pause

    return measure_each


def test_a_process_that_finishes_nothing_of_what_waits_ends(measure):
    with pytest.raises(FatalError, match="none was finished for 50 s"):
        measure(3, 3, 3, pause=25)


def test_a_process_that_gets_on_or_has_nothing_to_do_goes_on(measure):
    measure(3, 4, 5, pause=50)
    measure(10, 10, 10, pause=50)
