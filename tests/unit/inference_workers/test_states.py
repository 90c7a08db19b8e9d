"""What a worker tells of itself: intervals that follow each other, whatever Kafka does."""

from inference_workers.answers import WorkerIdentity
from inference_workers.states import StateIntervals, StateTeller, telling
from schemas.codec import Codec
from schemas.states import WorkerState
from tests.operations_topic import OperationsTopic

HOUR = 3_600_000
WHO = WorkerIdentity("w1", "default", "t4", "spot")


class Time:
    def __init__(self):
        self.now = 10 * HOUR + 5

    def __call__(self):
        return self.now


def teller():
    topic, time = OperationsTopic(), Time()
    return StateTeller(StateIntervals(WHO, WorkerState.STARTING, time.now), topic, Codec(), time), topic, time


def test_each_change_ends_one_interval_and_begins_the_next():
    told, topic, time = teller()
    time.now += 2000
    told.enter(WorkerState.READY)
    time.now += 5000
    told.enter(WorkerState.DRAINING)
    time.now += 10
    told.tell()
    begin = 10 * HOUR + 5
    assert topic.told() == [
        ("starting", begin, begin + 2000),
        ("ready", begin + 2000, begin + 7000),
        ("draining", begin + 7000, begin + 7010),
    ]
    assert {(one.actor, one.device, one.market) for one in topic.events} == {("w1", "t4", "spot")}


def test_while_nothing_changes_each_event_replaces_the_one_before_it():
    told, topic, time = teller()
    for _ in range(3):
        time.now += 1000
        told.tell()
    assert len({(state, since) for state, since, _ in topic.told()}) == 1
    assert topic.told()[-1][2] == time.now


def test_an_interval_ends_with_its_hour():
    told, topic, time = teller()
    time.now = 11 * HOUR - 1
    told.tell()
    time.now = 11 * HOUR + 7
    told.tell()
    assert topic.told()[1:] == [
        ("starting", 10 * HOUR + 5, 11 * HOUR),
        ("starting", 11 * HOUR, 11 * HOUR + 7),
    ]


def test_what_was_not_told_while_kafka_was_away_is_told_afterwards():
    told, topic, time = teller()
    topic.is_away = True
    time.now += 1000
    told.enter(WorkerState.READY)
    topic.is_away = False
    time.now += 1000
    told.tell()
    assert [(state, at - since) for state, since, at in topic.told()] == [("starting", 1000), ("ready", 1000)]


def test_the_last_word_is_spoken_at_the_end():
    told, topic, time = teller()
    with telling(told, every_seconds=60.0):
        time.now += 500
    assert [(state, at - since) for state, since, at in topic.told()] == [("starting", 500)]
