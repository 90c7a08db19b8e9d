"""A process does not start before its topics are there, and ends when it stands still."""

import asyncio

import pytest

from connectors.faust.settings import FaustSettings
from connectors.kafka.group_lag import LagReader, PartitionLag
from connectors.kafka.settings import KafkaSettings
from connectors.telemetry.health import Health
from schemas.errors import FatalError, TransientError
from stream_apps.runtime.event_process import EventProcess, GroupMember, wait_for_topics


class Admin:
    """Answers with one problem less each time it is asked."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def check_topics(self):
        answer = self.answers.pop(0) if self.answers else []
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_a_process_waits_until_its_topics_are_there():
    pauses: list[float] = []
    wait_for_topics(Admin(TransientError("no broker"), ["in: 0 partitions"], []), 60, pauses.append)
    assert len(pauses) == 2


def test_a_process_without_its_topics_does_not_start():
    problem = ["translation.requests.high: 0 partitions, the catalogue says 6"]
    with pytest.raises(FatalError, match=r"translation\.requests\.high"):
        wait_for_topics(Admin(*[problem] * 10), 3, lambda _seconds: None)


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
