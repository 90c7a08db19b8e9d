import asyncio

import pytest

from stream_apps.runtime.turns import Turns


async def _order_of(ranks: list[int]) -> list[int]:
    """Let one topic hold the turn while others line up in this order; return the order in which they get it."""
    turns, served = Turns(), []

    async def use(rank: int) -> None:
        async with turns.turn(rank):
            served.append(rank)

    async with turns.turn(0):
        tasks = [asyncio.create_task(use(rank)) for rank in ranks]
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    return served


def test_the_most_urgent_topic_that_waits_is_next():
    assert asyncio.run(_order_of([2, 1, 0])) == [0, 1, 2]


def test_in_each_fourth_turn_the_least_urgent_gets_one_while_more_urgent_work_never_ends():
    assert asyncio.run(_order_of([0] * 8 + [2, 2])) == [0, 0, 0, 2, 0, 0, 0, 2, 0, 0]


def test_of_one_topic_the_first_that_waits_is_the_first_that_is_served():
    assert asyncio.run(_order_of([1, 1, 1])) == [1, 1, 1]


def test_only_one_holds_the_turn():
    turns, holders, most = Turns(), 0, 0

    async def use() -> None:
        nonlocal holders, most
        async with turns.turn(1):
            holders += 1
            most = max(most, holders)
            await asyncio.sleep(0)
            holders -= 1

    async def work() -> None:
        await asyncio.gather(*(use() for _ in range(20)))

    asyncio.run(work())
    assert (most, holders) == (1, 0)


def test_a_turn_is_passed_on_when_its_holder_fails_or_the_next_one_has_been_cancelled():
    async def work() -> bool:
        turns = Turns()

        async def wait_for_turn() -> bool:
            async with turns.turn(1):
                return True

        async def fail() -> None:
            async with turns.turn(0):
                await asyncio.sleep(0)
                cancelled.cancel()
                raise RuntimeError

        failing = asyncio.create_task(fail())
        await asyncio.sleep(0)
        cancelled, waiting = (asyncio.create_task(wait_for_turn()) for _ in range(2))
        with pytest.raises(RuntimeError):
            await failing
        return await asyncio.wait_for(waiting, 1)

    assert asyncio.run(work())
