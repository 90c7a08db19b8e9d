"""Of several instances one acts, and without Redis none does."""

import threading
from dataclasses import dataclass, field

import pytest

from connectors.telemetry.health import Health
from schemas.errors import TransientError
from stream_apps.repair.main import ActiveInstance


@dataclass
class Parts:
    """The lease, the sweeper and the comparisons at once."""

    is_held: bool = True
    is_away: bool = False
    sweeps: int = 0
    releases: int = 0
    health: Health = field(default_factory=Health)
    is_active: threading.Event = field(default_factory=threading.Event)

    def hold(self) -> bool:
        self._check()
        return self.is_held

    def release(self) -> None:
        self._check()
        self.releases += 1

    def sweep(self) -> int:
        self.sweeps += 1
        return 0

    def _check(self) -> None:
        if self.is_away:
            raise TransientError("Redis is away")


@pytest.fixture
def parts() -> Parts:
    return Parts()


@pytest.fixture
def instance(parts) -> ActiveInstance:
    return ActiveInstance(parts, parts, parts)


def test_the_holder_of_the_lease_sweeps_and_compares(parts, instance):
    instance.turn()
    assert (parts.sweeps, parts.is_active.is_set(), parts.health.reason) == (1, True, "")


def test_the_others_stand_by_and_are_ready(parts, instance):
    parts.is_held = False
    instance.turn()
    assert (parts.sweeps, parts.is_active.is_set(), parts.health.reason) == (0, False, "")


def test_without_redis_nobody_acts_and_the_probe_says_why(parts, instance):
    instance.turn()
    parts.is_away = True
    instance.turn()
    assert (parts.sweeps, parts.is_active.is_set(), parts.health.reason) == (1, False, "Redis is away")


def test_at_the_end_the_lease_is_given_back_where_that_is_possible(parts, instance):
    instance.end()
    parts.is_away = True
    instance.end()
    assert parts.releases == 1
