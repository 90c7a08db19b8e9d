"""A process ends when it stands still."""

import asyncio

import pytest

from connectors.faust.settings import FaustSettings
from connectors.kafka.group_lag import PartitionLag
from connectors.kafka.settings import KafkaSettings
from connectors.telemetry.health import Health
from schemas.errors import FatalError
from stream_apps.runtime.event_process import EventProcess, GroupMember


class Lags:
    """Says how far the group has come on the one partition, which ends at 10."""

    def __init__(self, *committed):
        self.committed = list(committed)

    def lag(self, _group, _topics):
        return [PartitionLag("in", 0, committed=self.committed.pop(0), end=10)]


def measured(*committed, seconds):
    """Measure once for each committed offset, with that time between two measurements."""
    now = [0.0]
    settings = KafkaSettings(bootstrap="127.0.0.1:1")
    process = EventProcess(
        GroupMember("g", "i"), settings, FaustSettings(stalled_seconds=45), Health(clock=lambda: now[0])
    )
    process.assignment = lambda: {("in", 0)}  # type: ignore[method-assign]  # Faust holds none before it runs
    lags = Lags(*committed)
    while lags.committed:
        asyncio.run(process._measure(lags))  # type: ignore[arg-type]  # a stand-in with the one method
        now[0] += seconds


def test_a_process_that_finishes_nothing_of_what_waits_ends():
    with pytest.raises(FatalError, match="none was finished for 50 s"):
        measured(3, 3, 3, seconds=25)


def test_a_process_that_gets_on_or_has_nothing_to_do_goes_on():
    measured(3, 4, 5, seconds=50)
    measured(10, 10, 10, seconds=50)
