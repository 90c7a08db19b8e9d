"""Alive means getting on: judged by what the group has committed."""

from connectors.kafka.group_lag import PartitionLag
from connectors.telemetry.health import Health
from stream_apps.runtime.consumer_health import ConsumerHealth

HELD = {("in", 0)}


class Watched:
    """Both kinds of health on one clock that the test moves."""

    def __init__(self):
        self.now = 0.0
        self.health = Health(silence_seconds=10, clock=lambda: self.now)
        self.consumer_health = ConsumerHealth(self.health, recent_seconds=5, clock=lambda: self.now)

    def measure(self, committed, end, assigned=frozenset(HELD), after=4, **why):
        self.now += after
        self.consumer_health.measured([PartitionLag("in", 0, committed, end)], assigned, **why)


def test_a_process_with_nothing_to_do_lives_and_is_ready():
    watched = Watched()
    for _ in range(10):
        watched.measure(5, 5)
    assert watched.health.is_alive()
    assert watched.health.reason == ""


def test_a_process_whose_commits_advance_lives():
    watched = Watched()
    for committed in range(10):
        watched.measure(committed, 100)
    assert watched.health.is_alive()


def test_a_process_with_work_and_no_commits_is_dead():
    watched = Watched()
    for _ in range(4):
        watched.measure(5, 100)
    assert not watched.health.is_alive()


def test_a_process_that_waits_for_a_dependency_lives_but_is_not_ready():
    watched = Watched()
    for _ in range(4):
        watched.consumer_health.waits("Redis: ConnectionError")
        watched.measure(5, 100)
    assert watched.health.is_alive()
    assert "Redis" in watched.health.reason


def test_a_process_is_ready_as_soon_as_it_works_again():
    watched = Watched()
    watched.measure(5, 5)
    watched.consumer_health.waits("Redis: ConnectionError")
    assert watched.health.reason == "waiting: Redis: ConnectionError"
    watched.consumer_health.works()
    assert watched.health.reason == ""
    watched.measure(5, 5, after=0.1)
    assert watched.health.reason == ""


def test_a_blip_at_the_start_does_not_hold_up_readiness():
    watched = Watched()
    watched.consumer_health.waits("Redis: ConnectionError")
    watched.consumer_health.works()
    assert watched.health.reason == "starting"
    watched.measure(5, 5, after=0.1)
    assert watched.health.reason == ""


def test_who_works_again_without_its_membership_is_not_ready():
    watched = Watched()
    watched.consumer_health.waits("Redis: ConnectionError")
    watched.measure(5, 5, unsettled="not a member of assembly")
    watched.consumer_health.works()
    assert watched.health.reason == "not a member of assembly"


def test_waiting_with_pauses_between_is_no_silence():
    watched = Watched()
    for _ in range(4):
        watched.consumer_health.waits("Redis: ConnectionError")
        watched.consumer_health.works()
        watched.measure(5, 100)
    assert watched.health.is_alive()


def test_a_rebalance_that_never_ends_is_death():
    watched = Watched()
    for _ in range(4):
        watched.measure(5, 5, unsettled="rebalancing")
    assert not watched.health.is_alive()
    assert watched.health.reason == "rebalancing"


def test_without_partitions_it_lives_and_is_not_ready():
    watched = Watched()
    for _ in range(4):
        watched.measure(5, 5, assigned=frozenset(), obstacle="no partition is assigned")
    assert watched.health.is_alive()
    assert watched.health.reason == "no partition is assigned"


def test_the_lag_of_other_members_is_not_held_against_it():
    watched = Watched()
    for _ in range(4):
        watched.measure(5, 100, assigned=frozenset({("in", 1)}))
    assert watched.health.is_alive()


def test_a_restart_would_not_bring_kafka_back():
    watched = Watched()
    for _ in range(4):
        watched.now += 4
        watched.consumer_health.kafka_unreachable("Kafka: no broker")
    assert watched.health.is_alive()
    assert watched.health.reason == "Kafka: no broker"
