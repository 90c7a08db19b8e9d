"""Whoever registers first misses no result, whatever the order of registering, publishing and looking."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack

import pytest

from producers.http.errors import OverloadedError
from producers.http.translations.missed_results import tell_missed_results
from producers.http.translations.result_tail import ResultTail, WaiterLimits
from schemas.codec import Codec
from schemas.errors import FatalError, TransientError
from schemas.ids import JobKey
from schemas.messages import TranslationResult
from schemas.records import InboundRecord
from schemas.states import ResultStatus
from tests.keys import key

CODEC = Codec()


class Topic:
    """A tail whose takes are given; an error is raised. Afterwards it is silent."""

    def __init__(self, *takes: list[InboundRecord] | Exception) -> None:
        self.takes = list(takes)
        self.opened = 0
        self.closed = 0
        self.is_silent = threading.Event()

    def open(self) -> "Topic":
        self.opened += 1
        return self

    def take(self, _limit: int, _timeout_seconds: float) -> list[InboundRecord]:
        if not self.takes:
            self.is_silent.set()
            threading.Event().wait(0.001)
            return []
        taken = self.takes.pop(0)
        if isinstance(taken, Exception):
            raise taken
        return taken

    def close(self) -> None:
        self.closed += 1


def result(request_id: str = "r1", tenant: str = "default", text: str = "Bom dia.") -> InboundRecord:
    message = TranslationResult(tenant=tenant, request_id=request_id, status=ResultStatus.COMPLETED, text=text)
    return InboundRecord("translation.results", 0, 1, message.key.encode(), CODEC.encode(message))


def tail_of(topic: Topic, most_waiters: int = 10, clock: Callable[[], float] = lambda: 0.0) -> ResultTail:
    return ResultTail(topic.open, CODEC, WaiterLimits(most_waiters, 4), clock=clock)


def test_a_result_wakes_those_who_wait_for_it_and_nobody_else():
    async def work() -> list[TranslationResult | None]:
        tail = tail_of(Topic())
        with tail.expect(key("r1")) as first, tail.expect(key("r1")) as second, tail.expect(key("r2")) as other:
            threading.Thread(target=tail.add, args=[result()]).start()
            return [await first.result(1), await second.result(1), await other.result(0.01)]

    first, second, other = asyncio.run(work())
    assert first == second
    assert first is not None
    assert (first.text, other) == ("Bom dia.", None)


def test_a_result_that_came_just_before_the_registration_is_there_at_once():
    async def work() -> TranslationResult | None:
        tail = tail_of(Topic())
        tail.add(result(text="old"))
        tail.add(result(text="new"))
        with tail.expect(key("r1")) as waiter:
            return await waiter.result(0)

    found = asyncio.run(work())
    assert found is not None
    assert found.text == "new"


def test_a_result_of_another_tenant_with_the_same_id_is_not_told():
    async def work() -> TranslationResult | None:
        tail = tail_of(Topic())
        with tail.expect(key("r1", "acme")) as waiter:
            tail.add(result(tenant="globex"))
            return await waiter.result(0.01)

    assert asyncio.run(work()) is None


def test_only_results_of_the_last_seconds_are_kept():
    times = iter([0.0, 5.5])

    async def work() -> TranslationResult | None:
        tail = tail_of(Topic(), clock=lambda: next(times))
        tail.add(result("r1"))
        tail.add(result("r2"))
        with tail.expect(key("r1")) as waiter:
            return await waiter.result(0)

    assert asyncio.run(work()) is None


def test_the_ring_is_bounded_in_bytes():
    async def work() -> list[TranslationResult | None]:
        tail = tail_of(Topic())
        for number in range(12):
            tail.add(result(f"r{number}", text="x" * 1_000_000))
        with tail.expect(key("r0")) as old, tail.expect(key("r11")) as new:
            return [await old.result(0), await new.result(0)]

    old, new = asyncio.run(work())
    assert (old is None, new is None) == (True, False)


def test_a_tombstone_and_a_record_without_a_key_are_passed_over():
    tail = tail_of(Topic())
    tail.add(InboundRecord("translation.results", 0, 1, b"default/r1", None))
    tail.add(InboundRecord("translation.results", 0, 1, None, b"v"))


def test_too_many_waiters_are_refused_until_one_leaves():
    async def work() -> None:
        tail = tail_of(Topic(), most_waiters=1)
        with tail.expect(key("r1")), pytest.raises(OverloadedError), tail.expect(key("r2")):
            pass
        with tail.expect(key("r2")):
            pass

    asyncio.run(work())


@pytest.mark.parametrize("error", [TransientError("Kafka is away"), FatalError("this client is lost")])
def test_a_tail_that_fails_is_opened_again(error, monkeypatch):
    monkeypatch.setattr("producers.http.translations.result_tail._REOPEN_SECONDS", 0.001)

    async def work() -> TranslationResult | None:
        topic = Topic(error, [result()])
        tail = tail_of(topic)
        with tail.expect(key("r1")) as waiter:
            tail.start()
            found = await waiter.result(2)
        tail.close()
        assert (topic.opened, topic.closed) == (2, 2)
        return found

    assert asyncio.run(work()) is not None


class Accounts:
    """Is read at the second attempt; takes what is not of the results."""

    def __init__(self) -> None:
        self.failures: list[Exception] = [TransientError("Kafka is away")]
        self.loaded = 0
        self.followed: list[InboundRecord] = []

    def load(self) -> None:
        if self.failures:
            raise self.failures.pop()
        self.loaded += 1

    def follow(self, record: InboundRecord) -> bool:
        if record.topic == "translation.results":
            return False
        self.followed.append(record)
        return True


def test_accounts_are_read_before_the_tail_is_opened_and_their_changes_come_with_the_results(monkeypatch):
    monkeypatch.setattr("producers.http.translations.result_tail._REOPEN_SECONDS", 0.001)
    change = InboundRecord("translation.credentials", 0, 5, b"default/r1", b"a key that was revoked")

    async def work() -> tuple[TranslationResult | None, TranslationResult | None]:
        topic, accounts = Topic([change, result()]), Accounts()
        tail = ResultTail(topic.open, CODEC, WaiterLimits(10, 4), accounts)
        tail.start()
        with tail.expect(key("r1")) as waiter, tail.expect(key("r2")) as other:
            found = await waiter.result(2), await other.result(0)
        tail.close()
        assert (accounts.loaded, topic.opened, accounts.followed) == (1, 1, [change])
        return found

    found, other = asyncio.run(work())
    assert (found is not None, other) == (True, None)


def test_the_more_look_for_themselves_the_rarer_each_of_them_does_and_those_who_only_wait_count_not():
    async def work() -> list[float]:
        tail, pauses = tail_of(Topic(), most_waiters=20), []
        with ExitStack() as entered:
            for number in range(8):
                entered.enter_context(tail.expect(key(f"told{number}")))
                waiter = entered.enter_context(tail.expect(key(f"r{number}")))
                pauses.append(waiter.pause(1.0))
        with tail.expect(key("alone")) as waiter:
            return [*pauses, waiter.pause(0.1)]

    assert asyncio.run(work()) == [1.0, 1.0, 1.0, 1.0, 1.25, 1.5, 1.75, 2.0, 0.25]


def test_a_result_that_the_tail_missed_is_found_in_redis_for_all_who_wait_for_it():
    asked: list[list[str]] = []
    kept = result("r1").value

    async def results(keys: Sequence[JobKey]) -> list[bytes | None]:
        asked.append([one.request_id for one in keys])
        if len(asked) == 1:
            raise TransientError("Redis is away")
        return [kept if one.request_id == "r1" else None for one in keys]

    async def work() -> list[TranslationResult | None]:
        tail = tail_of(Topic())
        finding = asyncio.create_task(tell_missed_results(tail, results, 0.001, looks_per_second=1e6))
        with tail.expect(key("r1")) as one, tail.expect(key("r1")) as same, tail.expect(key("r2")) as other:
            found = [await one.result(5), await same.result(5), await other.result(0.01)]
        finding.cancel()
        return found

    one, same, other = asyncio.run(work())
    assert one is not None
    assert (one.text, same, other) == ("Bom dia.", one, None)
    assert asked[:2] == [["r1", "r2"], ["r1", "r2"]]
