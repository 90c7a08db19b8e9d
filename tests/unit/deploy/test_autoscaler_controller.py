"""Turn by turn: what the fleet is told, what an outage must not do, and how startups are tracked."""

import pytest

from deploy.autoscaler.controller import Controller, ScalingState, StartupTracker
from deploy.autoscaler.decision import Policy, ScalingReason, WaitingWork
from deploy.autoscaler.fleet import RequestedReplicas
from deploy.autoscaler.measurement import PoolMeasurement
from schemas.errors import TransientError
from schemas.priorities import Priority


class FakeFleet:
    def __init__(self, replicas: int = 2, is_pinned: bool = False) -> None:
        self.now = RequestedReplicas(replicas, is_pinned)
        self.told: list[int] = []

    def requested(self, ready: int) -> RequestedReplicas:
        return self.now

    def request(self, replicas: int) -> None:
        self.told.append(replicas)
        self.now = RequestedReplicas(replicas)


class FakeMeter:
    """100 words/s a replica; `words` wait; None: Kafka is unreachable."""

    def __init__(self, ready: int = 2) -> None:
        self.words: int | None = 0
        self.ready = ready

    def measure(self, now: float) -> PoolMeasurement:
        if self.words is None:
            raise TransientError("no broker")
        return PoolMeasurement({Priority.STANDARD: WaitingWork(self.words)}, 100.0, self.ready)


@pytest.fixture
def meter() -> FakeMeter:
    return FakeMeter()


def controller(fleet: FakeFleet) -> Controller:
    return Controller("default", fleet, Policy(1, 10), first_startup_seconds=30.0)


def run(found: Controller, meter: FakeMeter, begin: int, end: int) -> ScalingState:
    for now in range(begin, end, 5):
        state = found.turn(meter, float(now))
    return state


def test_the_fleet_is_told_when_the_number_changes(meter: FakeMeter) -> None:
    fleet = FakeFleet()
    meter.words = 200_000
    run(controller(fleet), meter, 0, 5)

    assert fleet.told == [5]


def test_the_fleet_is_told_nothing_new_while_nothing_changes(meter: FakeMeter) -> None:
    fleet = FakeFleet()
    meter.words = 80_000
    run(controller(fleet), meter, 0, 100)

    assert fleet.told == [2]  # once at the start, for a predecessor may have died before it told


def test_a_lull_takes_a_whole_window_to_believe(meter: FakeMeter) -> None:
    fleet = FakeFleet()
    found = controller(fleet)
    run(found, meter, 0, 300)
    assert fleet.now.replicas == 2
    run(found, meter, 300, 306)
    assert fleet.now.replicas == 1


def test_while_kafka_is_away_the_last_decision_stands_and_says_so(meter: FakeMeter) -> None:
    fleet = FakeFleet()
    found = controller(fleet)
    meter.words = 200_000
    run(found, meter, 0, 5)
    meter.words = None
    state = run(found, meter, 5, 1_000)

    assert state.decision is not None
    assert state.decision.replicas == 5
    assert state.decision.reason is ScalingReason.BLIND
    assert state.blind_because == "no broker"
    assert fleet.told == [5]


def test_after_an_outage_the_window_begins_anew(meter: FakeMeter) -> None:
    fleet = FakeFleet()
    found = controller(fleet)
    run(found, meter, 0, 295)
    meter.words = None
    run(found, meter, 295, 1_000)
    meter.words = 0
    run(found, meter, 1_000, 1_300)
    assert fleet.now.replicas == 2
    run(found, meter, 1_300, 1_306)
    assert fleet.now.replicas == 1


def test_an_autoscaler_that_stood_still_has_seen_no_window(meter: FakeMeter) -> None:
    fleet = FakeFleet()
    found = controller(fleet)
    run(found, meter, 0, 100)
    run(found, meter, 1_000, 1_300)
    assert fleet.now.replicas == 2
    run(found, meter, 1_300, 1_306)
    assert fleet.now.replicas == 1


def test_turns_that_are_further_apart_than_the_window_scale_in_all_the_same(meter: FakeMeter) -> None:
    fleet = FakeFleet()
    found = Controller("default", fleet, Policy(1, 10, scale_in_window_seconds=30.0), 30.0, interval_seconds=60.0)
    for now in range(0, 300, 60):
        found.turn(meter, float(now))
    assert fleet.now.replicas == 1


def test_before_the_first_measurement_there_is_no_decision(meter: FakeMeter) -> None:
    fleet = FakeFleet()
    meter.words = None

    assert controller(fleet).turn(meter, 0.0).decision is None
    assert fleet.told == []


def test_a_person_goes_before_the_rule(meter: FakeMeter) -> None:
    fleet = FakeFleet(is_pinned=True)
    meter.words = 200_000
    state = run(controller(fleet), meter, 0, 1_000)

    assert fleet.told == []
    assert state.decision is not None
    assert state.decision.replicas > 2


def test_what_does_not_come_is_asked_for_again(meter: FakeMeter) -> None:
    fleet = FakeFleet(replicas=10)
    meter.words = 1_000_000
    run(controller(fleet), meter, 0, 61)
    assert fleet.told == [10]
    run(controller(fleet), meter, 0, 70)
    assert fleet.told == [10, 10, 10]


def test_a_start_is_pending_until_a_replica_is_ready_and_then_tells_how_long_it_took() -> None:
    starts = StartupTracker(first_startup_seconds=45.0)
    starts.observe(requested=2, ready=2, now=0.0)
    starts.observe(requested=4, ready=2, now=10.0)
    assert starts.pending_seconds(now=15.0) == (40.0, 40.0)

    starts.observe(requested=4, ready=3, now=30.0)
    assert starts.startup_seconds == 20.0
    assert starts.pending_seconds(now=30.0) == (20.0,)


def test_an_overdue_start_counts_as_just_begun_and_is_asked_for_again_in_time() -> None:
    starts = StartupTracker(first_startup_seconds=45.0)
    starts.observe(requested=1, ready=0, now=0.0)

    assert starts.pending_seconds(now=50.0) == (45.0,)
    assert not starts.is_overdue(now=90.0)
    assert starts.is_overdue(now=91.0)
    starts.restart_pending(now=91.0)
    assert not starts.is_overdue(now=92.0)


def test_withdrawn_starts_are_forgotten() -> None:
    starts = StartupTracker(first_startup_seconds=45.0)
    starts.observe(requested=5, ready=1, now=0.0)
    starts.observe(requested=2, ready=1, now=1.0)

    assert len(starts.pending_seconds(now=1.0)) == 1
