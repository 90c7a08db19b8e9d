"""A simulated day: service levels kept, and how much less it costs than a fleet of constant size."""

import pytest

from deploy.autoscaler.decision import Policy
from deploy.autoscaler.simulation import DAY_SECONDS, PoolDay, Site, bursty_day, idle_day
from schemas.priorities import Priority

STATIC = 20
POLICY = Policy(min_replicas=2, max_replicas=STATIC)


def test_an_idle_day_costs_the_minimum() -> None:
    outcome = PoolDay(Site(interval_seconds=30.0), POLICY).run(idle_day())

    assert outcome.saving(STATIC) == pytest.approx(0.9)
    assert not any(outcome.late_words.values())
    assert outcome.changes == 0


def test_a_bursty_day_keeps_every_service_level_and_saves_most_of_the_cost() -> None:
    site = Site()
    load = bursty_day(STATIC * site.words_per_second, seed=1, bursts=4)
    outcome = PoolDay(site, POLICY).run(load, seconds=DAY_SECONDS / 4)

    assert {priority: outcome.late_share(priority) for priority in Priority} == dict.fromkeys(Priority, 0.0)
    assert outcome.saving(STATIC, DAY_SECONDS / 4) > 0.7
    assert outcome.most_replicas > 10


def test_the_simulation_can_fail() -> None:
    site = Site(startup_seconds=600.0)
    load = bursty_day(STATIC * site.words_per_second, seed=1, bursts=4)
    outcome = PoolDay(site, POLICY).run(load, seconds=DAY_SECONDS / 4)

    assert outcome.late_share(Priority.STANDARD) > 0.05


def test_everything_that_arrives_is_translated_in_the_end() -> None:
    day = PoolDay(Site(), POLICY)
    for second in range(0, 3_600, 5):
        day.advance(4_000.0 if second < 600 else 0.0)

    assert all(waiting.backlog_words == 0 for waiting in day._waiting().values())
