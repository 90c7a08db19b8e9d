"""What workers ask before they work: which requests are answered. Advice, so it never fails."""

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from connectors.memory import FixedAnsweredRequests
from connectors.redis.request_markers import RedisAnsweredRequests
from connectors.redis.slots import RedisSlots, SlotRetention
from schemas.slots import AnswerOrder, Completion
from tests.keys import revision

NEVER = Retry(NoBackoff(), 0)
ANSWERED = (revision("r1"), revision("r2", 2))


@pytest.fixture(params=["memory", "valkey"])
def answered(request):
    if request.param == "memory":
        return FixedAnsweredRequests(*ANSWERED)
    client = request.getfixturevalue("valkey")
    client.flushall()
    RedisSlots(client, SlotRetention(100, 200)).finish(dict.fromkeys(ANSWERED, Completion("t-0-1")))
    return RedisAnsweredRequests(client)


def test_of_those_asked_for_it_names_the_answered_ones(answered):
    asked = [
        revision("r1"),
        revision("r1"),
        revision("r1", 2),
        revision("r2"),
        revision("r2", 2),
        revision("r3"),
        revision("r1", tenant="globex"),
    ]
    assert answered.among(asked) == set(ANSWERED)


def test_nobody_asked_for_means_nobody_named(answered):
    assert answered.among([]) == set()


def test_an_answer_whose_transaction_may_still_be_aborted_does_not_count(valkey):
    valkey.flushall()
    slots = RedisSlots(valkey, SlotRetention(100, 200))
    slots.decide([AnswerOrder(revision("r1"), "c-0-1")])
    assert RedisAnsweredRequests(valkey).among([revision("r1")]) == set()
    slots.finish({revision("r1"): Completion("c-0-1")})
    assert RedisAnsweredRequests(valkey).among([revision("r1")]) == {revision("r1")}


def test_while_redis_is_away_nobody_is_named_and_it_is_left_alone_for_a_while():
    now = [0.0]
    client = redis.Redis(port=1, socket_connect_timeout=0.1, retry=NEVER)
    answered = RedisAnsweredRequests(client, clock=lambda: now[0])
    assert answered.among([revision("r1")]) == set()
    client.__dict__["pipeline"] = None  # asking would fail now
    assert answered.among([revision("r1")]) == set()
    now[0] = 6.0
    with pytest.raises(TypeError):
        answered.among([revision("r1")])
