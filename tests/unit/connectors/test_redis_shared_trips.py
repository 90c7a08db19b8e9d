"""Questions that come while a trip is under way share the next one; each asker gets its own answer or error."""

import asyncio
from collections.abc import Sequence

import pytest

from connectors.redis.shared_trips import SharedTrips
from schemas.errors import TransientError


class Shop:
    """Answers ten times the question; its trips take a moment."""

    def __init__(self) -> None:
        self.trips: list[list[int]] = []
        self.is_away = False

    async def ask_all(self, asked: Sequence[int]) -> list[int | Exception]:
        self.trips.append(list(asked))
        await asyncio.sleep(0)
        if self.is_away:
            raise TransientError("away")
        return [TransientError("odd") if one % 2 else one * 10 for one in asked]


def asked(shop: Shop, *questions: int, most: int = 100) -> list[int | BaseException]:
    async def ask() -> list[int | BaseException]:
        trips = SharedTrips(shop.ask_all, most)
        return await asyncio.gather(*map(trips.ask, questions), return_exceptions=True)

    return asyncio.run(ask())


def test_questions_of_one_moment_go_together_each_answered_in_its_place():
    shop = Shop()
    assert asked(shop, 2, 4, 6) == [20, 40, 60]
    assert shop.trips == [[2, 4, 6]]


def test_what_comes_meanwhile_goes_next_and_a_trip_has_room_for_so_many():
    shop = Shop()
    assert asked(shop, 0, 2, 4, 6, 8, most=2) == [0, 20, 40, 60, 80]
    assert shop.trips == [[0, 2], [4, 6], [8]]


def test_an_error_of_one_is_raised_for_that_one_and_an_error_of_the_trip_for_all():
    shop = Shop()
    good, bad = asked(shop, 2, 3)
    assert good == 20
    assert isinstance(bad, TransientError)
    shop.is_away = True
    assert [str(one) for one in asked(shop, 2, 4)] == ["away", "away"]


def test_whoever_gives_up_takes_nothing_from_the_others_and_later_questions_are_answered():
    shop = Shop()

    async def ask() -> int:
        trips = SharedTrips(shop.ask_all)
        first, second = asyncio.create_task(trips.ask(2)), asyncio.create_task(trips.ask(4))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        return await second + await trips.ask(6)

    assert asyncio.run(ask()) == 100
