"""Turn by turn: who is told what, and what an outage must not do."""

import pytest

from deploy.autoscaler.controller import Controller
from deploy.autoscaler.decision import Policy, ScalingReason, WaitingWork
from deploy.autoscaler.fleet import LocalFleet, PolledFleet, RequestedReplicas
from deploy.autoscaler.measurement import PoolMeasurement
from deploy.local.state_files import Author, Desired, RunFile, RunInfo, propose, read_desired, write_desired
from schemas.errors import TransientError
from schemas.priorities import Priority


class FakeFleet:
    def __init__(self, replicas=2, is_pinned=False):
        self.now = RequestedReplicas(replicas, is_pinned)
        self.told = []

    def asked(self, ready):
        return self.now

    def ask(self, replicas):
        self.told.append(replicas)
        self.now = RequestedReplicas(replicas)


class FakeMeter:
    """100 words/s a replica; as much waits as `words` says, None: Kafka is away."""

    def __init__(self, ready=2):
        self.words = 0
        self.ready = ready

    def measure(self, now):
        if self.words is None:
            raise TransientError("no broker")
        return PoolMeasurement({Priority.STANDARD: WaitingWork(self.words)}, 100.0, self.ready)


@pytest.fixture
def meter():
    return FakeMeter()


def controller(fleet):
    return Controller("default", fleet, Policy(1, 10), first_startup_seconds=30.0)


def run(found, meter, begin, end, step=5):
    for now in range(begin, end, step):
        state = found.turn(meter, float(now))
    return state


def test_the_fleet_is_told_when_the_number_changes(meter):
    fleet = FakeFleet()
    meter.words = 200_000
    run(controller(fleet), meter, 0, 5)

    assert fleet.told == [5]


def test_the_fleet_is_told_nothing_new_while_nothing_changes(meter):
    fleet = FakeFleet()
    meter.words = 80_000
    run(controller(fleet), meter, 0, 100)

    assert fleet.told == [2]  # once at the start, for a predecessor may have died before it told


def test_a_lull_takes_a_whole_window_to_believe(meter):
    fleet = FakeFleet()
    found = controller(fleet)
    run(found, meter, 0, 300)
    assert fleet.now.replicas == 2
    run(found, meter, 300, 306)
    assert fleet.now.replicas == 1


def test_while_kafka_is_away_the_last_decision_stands_and_says_so(meter):
    fleet = FakeFleet()
    found = controller(fleet)
    meter.words = 200_000
    run(found, meter, 0, 5)
    meter.words = None
    state = run(found, meter, 5, 1_000)

    assert state.decision.replicas == 5
    assert state.decision.reason is ScalingReason.BLIND
    assert state.blind_because == "no broker"
    assert fleet.told == [5]


def test_after_an_outage_the_window_begins_anew(meter):
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


def test_before_the_first_measurement_there_is_no_decision(meter):
    fleet = FakeFleet()
    meter.words = None

    assert controller(fleet).turn(meter, 0.0).decision is None
    assert fleet.told == []


def test_a_person_goes_before_the_rule(meter):
    fleet = FakeFleet(is_pinned=True)
    meter.words = 200_000
    state = run(controller(fleet), meter, 0, 1_000)

    assert fleet.told == []
    assert state.decision.replicas > 2


def test_what_does_not_come_is_asked_for_again(meter):
    fleet = FakeFleet(replicas=10)
    meter.words = 1_000_000
    run(controller(fleet), meter, 0, 61)
    assert fleet.told == [10]
    run(controller(fleet), meter, 0, 70)
    assert fleet.told == [10, 10, 10]


def test_a_fleet_that_asks_us_is_at_first_as_it_is_found():
    fleet = PolledFleet()
    assert fleet.asked(ready=15) == RequestedReplicas(15)
    fleet.ask(12)
    assert fleet.asked(ready=15) == RequestedReplicas(12)


def test_the_local_fleet_goes_by_the_files_of_the_stack(tmp_path):
    info = RunInfo("k", "h", "a", "r", "s", "d", supervisor_pid=1, started_at=0.0, workers=2, max_workers=6)
    RunFile(tmp_path, info).write()
    fleet = LocalFleet(tmp_path)

    assert fleet.bounds() == (2, 6)
    assert fleet.asked(ready=0) == RequestedReplicas(2)
    write_desired(tmp_path, Desired(4, Author.PERSON))
    assert fleet.asked(ready=0) == RequestedReplicas(4, is_pinned=True)


def test_a_local_fleet_without_a_stack_is_away_for_now(tmp_path):
    with pytest.raises(TransientError, match="no stack is running"):
        LocalFleet(tmp_path).ask(3)
    with pytest.raises(TransientError, match="no stack is running"):
        LocalFleet(tmp_path).bounds()


def test_the_autoscaler_cannot_overwrite_what_a_person_wants(tmp_path):
    assert propose(tmp_path, 3) is True
    write_desired(tmp_path, Desired(5, Author.PERSON))

    assert propose(tmp_path, 2) is False
    assert read_desired(tmp_path) == Desired(5, Author.PERSON)
