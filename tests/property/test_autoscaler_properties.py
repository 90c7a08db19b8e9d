"""Whatever is measured: what the rule may never do."""

import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from deploy.autoscaler.controller import NeedHistory
from deploy.autoscaler.decision import (
    PastNeed,
    Policy,
    ScalingDecision,
    ScalingReason,
    Snapshot,
    WaitingWork,
    replicas_wanted,
)
from schemas.priorities import Priority

WORDS = st.floats(0, 1e6)
WAITING = st.builds(WaitingWork, WORDS, st.floats(0, 1e4), st.floats(0, 1000))


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    fewest = draw(st.integers(0, 20))
    return Policy(fewest, draw(st.integers(fewest, 40)))


SNAPSHOTS = st.builds(
    Snapshot,
    waiting=st.fixed_dictionaries(dict.fromkeys(Priority, WAITING)),
    replica_words_per_second=st.floats(1, 1e4),
    startup_seconds=st.floats(1, 900),
    ready=st.integers(0, 40),
    pending_seconds=st.lists(st.floats(0, 900), max_size=5).map(tuple),
    past=st.lists(st.builds(PastNeed, st.floats(0, 400), st.integers(0, 40)), max_size=5).map(tuple),
    steady_seconds=st.sampled_from([0.0, math.inf]),
)


def with_backlog(snapshot: Snapshot, priority: Priority, words: float) -> Snapshot:
    changed = replace(snapshot.waiting[priority], backlog_words=words)
    return replace(snapshot, waiting={**snapshot.waiting, priority: changed})


def with_arrivals(snapshot: Snapshot, priority: Priority, words_per_second: float) -> Snapshot:
    changed = replace(snapshot.waiting[priority], words_per_second=words_per_second)
    return replace(snapshot, waiting={**snapshot.waiting, priority: changed})


@given(SNAPSHOTS, policies())
def test_a_decision_is_never_outside_the_bounds(snapshot, policy):
    decision = replicas_wanted(snapshot, policy)

    assert policy.min_replicas <= decision.needed <= decision.replicas <= policy.max_replicas


@given(SNAPSHOTS, policies(), st.sampled_from(Priority), WORDS)
def test_more_backlog_never_wants_fewer(snapshot, policy, priority, more):
    before = snapshot.waiting[priority].backlog_words
    larger = with_backlog(snapshot, priority, before + more)

    assert replicas_wanted(larger, policy).replicas >= replicas_wanted(snapshot, policy).replicas


@given(SNAPSHOTS, policies(), st.sampled_from(Priority), st.floats(0, 1e4))
def test_faster_arrivals_never_want_fewer(snapshot, policy, priority, more):
    before = snapshot.waiting[priority].words_per_second
    faster = with_arrivals(snapshot, priority, before + more)

    assert replicas_wanted(faster, policy).replicas >= replicas_wanted(snapshot, policy).replicas


@given(SNAPSHOTS, policies())
def test_nobody_is_sent_away_while_a_deadline_is_at_risk(snapshot, policy):
    decision = replicas_wanted(snapshot, policy)
    is_late = any(
        waiting.backlog_words > 0 and waiting.oldest_seconds >= policy.deadline_seconds(priority)
        for priority, waiting in snapshot.waiting.items()
    )

    if is_late or decision.reason is ScalingReason.DEADLINE or decision.out_of_reach:
        assert decision.replicas >= policy.within_bounds(snapshot.current)


@given(SNAPSHOTS, policies())
def test_fewer_are_never_fewer_than_a_moment_of_the_window_needed(snapshot, policy):
    decision = replicas_wanted(snapshot, policy)
    needed = [past.replicas for past in snapshot.past if past.seconds_ago <= policy.scale_in_window_seconds]

    assert decision.replicas >= policy.within_bounds(min(snapshot.current, max(needed, default=0)))


@given(SNAPSHOTS, policies())
def test_the_same_measurement_gives_the_same_decision(snapshot, policy):
    assert replicas_wanted(snapshot, policy) == replicas_wanted(snapshot, policy)


@given(SNAPSHOTS)
def test_replicas_that_are_ready_as_wanted_are_enough(snapshot):
    policy = Policy(0, 10**9)
    wanted = replicas_wanted(snapshot, policy).replicas
    there = replace(snapshot, ready=wanted, pending_seconds=(), past=(), steady_seconds=0.0)

    assert replicas_wanted(there, policy).needed <= wanted


@given(st.lists(st.tuples(st.integers(1, 400), st.integers(0, 9)), min_size=1))
def test_the_history_knows_every_need_of_the_window_and_whether_it_is_over(found):
    history, now, needs = NeedHistory(300.0), 0, {}
    for seconds, replicas in found:
        now += seconds
        needs[now] = replicas
        history.add(ScalingDecision(replicas, replicas, ScalingReason.STEADY), replicas, now)
    past = history.past(now)

    assert {past.seconds_ago: past.replicas for past in past if past.seconds_ago < 300} == {
        now - at: replicas for at, replicas in needs.items() if now - at < 300
    }
    assert (past[0].seconds_ago >= 300) is (now - min(needs) >= 300)
