"""A client is lost when Kafka answers new clients and not this one, again and again."""

import pytest

from connectors.kafka.lost_connection import LostConnection
from schemas.errors import FatalError


def client_of(answered, new_client_answered):
    """One result for each check."""
    answers, others = iter(answered), iter(new_client_answered)
    return LostConnection(lambda: next(answers), lambda: next(others))


def test_while_nobody_is_answered_kafka_is_away_and_the_client_is_not_lost():
    client = client_of([False] * 10, [False] * 10)
    assert [client.is_answered() for _ in range(10)] == [False] * 10


def test_a_client_that_comes_back_a_moment_later_than_another_is_not_lost():
    client = client_of([False, False, True, False, False], [True] * 4)
    assert [client.is_answered() for _ in range(5)] == [False, False, True, False, False]


def test_a_client_that_stays_unanswered_while_others_are_answered_is_lost():
    client = client_of([False] * 5, [False, True, True, True])
    assert [client.is_answered() for _ in range(3)] == [False] * 3
    with pytest.raises(FatalError, match="not this one"):
        client.is_answered()
