"""Decisions are told once, when they change; Kafka's outages stop nothing."""

from deploy.autoscaler.controller import ScalingState
from deploy.autoscaler.decision import ScalingDecision, ScalingReason, Snapshot, WaitingWork
from deploy.autoscaler.telling import DecisionTeller
from schemas.codec import Codec
from schemas.priorities import Priority
from tests.operations_topic import OperationsTopic

SNAPSHOT = Snapshot(
    waiting={Priority.HIGH: WaitingWork(900.0, 3.0, 12.0)},
    replica_words_per_second=400.0,
    startup_seconds=45.0,
    ready=2,
    pending_seconds=(30.0,),
)


def state(replicas, reason=ScalingReason.DEADLINE, snapshot=SNAPSHOT):
    return ScalingState(ScalingDecision(replicas, 3, reason, (Priority.CRITICAL,)), snapshot)


def test_a_decision_is_told_when_its_number_or_its_reason_changes():
    topic = OperationsTopic()
    tell = DecisionTeller("a1", "default", topic, Codec(), lambda: 5)
    for one in (state(3), state(3), state(4), state(4, ScalingReason.STEADY)):
        tell(one)
    assert [(event.figures["replicas"], event.state) for event in topic.events] == [
        (3, "deadline"),
        (4, "deadline"),
        (4, "steady"),
    ]
    first = topic.events[0]
    assert (first.actor, first.pool, first.priorities) == ("a1", "default", ["critical"])
    assert first.figures == {
        "replicas": 3, "needed": 3, "ready": 2, "pending": 1, "replica_words_per_second": 400,
        "startup_seconds": 45, "backlog_words.high": 900, "arriving_words_per_second.high": 3,
        "oldest_seconds.high": 12,
    }  # fmt: skip


def test_a_decision_that_could_not_be_told_is_told_at_the_next_turn():
    topic = OperationsTopic()
    topic.is_away = True
    tell = DecisionTeller("a1", "default", topic, Codec(), lambda: 5)
    tell(state(3))
    topic.is_away = False
    tell(state(3, snapshot=None))
    assert [event.figures for event in topic.events] == [{"replicas": 3, "needed": 3}]


def test_before_the_first_decision_there_is_nothing_to_tell():
    topic = OperationsTopic()
    DecisionTeller("a1", "default", topic, Codec(), lambda: 5)(ScalingState(None))
    assert topic.events == []
