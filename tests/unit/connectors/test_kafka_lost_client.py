"""A client is lost when Kafka answers others and not it, again and again."""

import pytest

from connectors.kafka.lost_connection import LostConnection
from schemas.errors import FatalError


def client_of(heard, another_heard):
    """One word for each time that it is asked."""
    words, others = iter(heard), iter(another_heard)
    return LostConnection(lambda: next(words), lambda: next(others))


def test_while_nobody_is_answered_kafka_is_away_and_the_client_is_not_lost():
    client = client_of([False] * 10, [False] * 10)
    assert [client.is_heard() for _ in range(10)] == [False] * 10


def test_a_client_that_comes_back_a_moment_later_than_another_is_not_lost():
    client = client_of([False, False, True, False, False], [True] * 4)
    assert [client.is_heard() for _ in range(5)] == [False, False, True, False, False]


def test_a_client_that_stays_unheard_while_others_are_answered_is_lost():
    client = client_of([False] * 5, [False, True, True, True])
    assert [client.is_heard() for _ in range(3)] == [False] * 3
    with pytest.raises(FatalError, match="not this one"):
        client.is_heard()
