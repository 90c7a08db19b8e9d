"""Readiness: what is asked in the background is what the probes answer."""

import asyncio
from contextlib import suppress
from typing import Any, cast

import pytest

from producers.http.readiness import PartsReadiness, watch_readiness
from schemas.codec import Codec
from schemas.errors import FatalError, TransientError


class Parts:
    def __init__(self, *problems: str) -> None:
        self._problems = list(problems)

    async def problems(self) -> list[str]:
        return self._problems


def unexpected(error: FatalError) -> None:
    pytest.fail(str(error))


def watch_once(health, *problems):
    async def look():
        with suppress(TimeoutError):
            await asyncio.wait_for(watch_readiness(health, Parts(*problems), 60, on_fatal=unexpected), 0.01)

    asyncio.run(look())


class LostParts:
    async def problems(self):
        raise FatalError("Kafka answers others")


def test_a_process_that_only_a_fresh_one_can_replace_is_ended(health):
    ended: list[FatalError] = []
    asyncio.run(watch_readiness(health, LostParts(), 60, on_fatal=ended.append))
    assert [str(error) for error in ended] == ["Kafka answers others"]


def test_nobody_sends_work_before_the_first_look(http):
    answer = http.get("/ready")
    assert (answer.status_code, answer.json()) == (503, {"ready": False, "reason": "starting"})


def test_ready_is_said_when_no_part_is_away(http, health):
    watch_once(health)
    assert http.get("/ready").json() == {"ready": True, "reason": ""}


def test_readiness_names_what_is_away_and_comes_back_with_it(http, health):
    watch_once(health, "Kafka does not answer", "Redis: gone")
    answer = http.get("/ready")
    assert (answer.status_code, answer.json()["reason"]) == (503, "Kafka does not answer; Redis: gone")
    watch_once(health)
    assert http.get("/ready").status_code == 200


class Kafka:
    def is_answered(self):
        return True


class Redis:
    async def ping(self):
        return True


class Registry:
    """Does not answer as often as told first."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.asked = 0

    def id_of(self, schema):
        self.asked += 1
        if self.asked <= self.failures:
            raise TransientError("the schema registry does not answer")
        return self.asked


def test_nobody_sends_work_before_the_ids_of_what_is_written_are_known_and_they_are_asked_for_once():
    registry = Registry(failures=1)
    parts = PartsReadiness(cast(Any, Kafka()), cast(Any, Redis()), Codec(cast(Any, registry)), lambda: True)
    assert asyncio.run(parts.problems()) == ["the schema registry does not answer"]
    assert asyncio.run(parts.problems()) == []
    asked = registry.asked
    assert asyncio.run(parts.problems()) == []
    assert registry.asked == asked


@pytest.mark.parametrize("path", ["/health", "/metrics"])
def test_the_other_probes_answer_while_it_is_not_ready(http, path):
    assert http.get(path).status_code == 200
