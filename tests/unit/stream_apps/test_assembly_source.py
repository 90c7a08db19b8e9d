"""What an assembler takes for one cycle, and when it waits for more."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from schemas.records import InboundRecord
from stream_apps.assembly.main import AssemblySource
from stream_apps.assembly.settings import AssemblyLimits

PAUSE = 0.2
VALUE = b"12345"


class Reader:
    """Has so many records, half of which come during the first pause."""

    assignment: tuple[tuple[str, int], ...] = ()

    def __init__(self, count):
        self.records = [InboundRecord("translation.translated", 0, at, b"", VALUE) for at in range(count)]
        self.is_late = True

    def take(self, limit, _timeout_seconds, limit_bytes):
        most = min(limit, -(-limit_bytes // len(VALUE)))
        if self.is_late:
            most = min(most, len(self.records) // 2)
        taken, self.records = self.records[:most], self.records[most:]
        return taken


@pytest.fixture
def slept():
    return []


@pytest.fixture
def source_of(slept):
    def build(count, **limits):
        reader = Reader(count)

        def sleep(seconds):
            slept.append(seconds)
            reader.is_late = False

        recovery = SimpleNamespace(ensure=lambda **_: None)
        catch_up = SimpleNamespace(step=lambda _held: None)
        pace = SimpleNamespace(pause_seconds=lambda _records: PAUSE, took=lambda _records: None)
        build_source = cast(Any, AssemblySource)
        return build_source([reader], AssemblyLimits(**limits), recovery, catch_up, lambda: None, pace, sleep)

    return build


def test_a_cycle_with_room_waits_and_takes_what_has_come_meanwhile(source_of, slept):
    assert len(source_of(8).take()) == 8
    assert slept == [PAUSE]


def test_a_cycle_that_is_full_waits_for_nothing(source_of, slept):
    assert len(source_of(8, cycle_records=4).take()) == 4
    assert slept == []


def test_a_cycle_that_has_its_bytes_waits_for_nothing(source_of, slept):
    assert len(source_of(8, cycle_bytes=len(VALUE) * 4).take()) == 4
    assert slept == []


def test_what_comes_meanwhile_is_taken_up_to_the_bounds_of_the_cycle(source_of, slept):
    assert len(source_of(8, cycle_records=6).take()) == 6
    assert slept == [PAUSE]
    assert len(source_of(8, cycle_bytes=len(VALUE) * 6).take()) == 6
