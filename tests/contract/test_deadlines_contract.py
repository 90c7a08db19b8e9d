"""Deadlines on a real Valkey: in with the plan of a request, out with its answer or an order that is stored."""

import asyncio

import pytest
import redis
import redis.asyncio

from connectors.redis.job_view import JobViews
from connectors.redis.request_markers import Deadlines, RedisRequestPlans
from connectors.redis.slots import RedisSlots, SlotRetention
from schemas.codec import Codec
from schemas.errors import TransientError
from schemas.events import JobControl
from schemas.ids import JobKey
from schemas.plans import RequestPlan
from schemas.records import OutboundRecord
from schemas.slots import Completion
from stream_apps.repair.deadlines import DeadlineSweeper
from tests.keys import key, revision
from tests.valkey import running_valkey

NOW = 1_000_000
PLAN = RequestPlan(priority="high", source_language="en", target_language="pt", words=9, deadline=NOW)
R1, THEIRS = key("r1", "acme"), key("r1", "globex")


@pytest.fixture(scope="module")
def server():
    with running_valkey() as url, redis.Redis.from_url(url) as client:
        yield url, client


@pytest.fixture
def note(server):
    url, client = server
    client.flushall()

    def note(*keys: JobKey) -> None:
        async def write() -> None:
            async with redis.asyncio.Redis.from_url(url) as connection:
                await RedisRequestPlans(connection, 60).note(dict.fromkeys(keys, PLAN))

        asyncio.run(write())

    return note


def answer(client: redis.Redis, tenant: str) -> None:
    done = Completion("t-0-1", "COMPLETED", 2)
    RedisSlots(client, SlotRetention(60, 60)).finish({revision("r1", tenant=tenant): done})


class Orders:
    def __init__(self, is_away: bool = False) -> None:
        self.is_away = is_away
        self.sent: list[OutboundRecord] = []

    def send(self, records, timeout_seconds=30.0):
        if self.is_away:
            raise TransientError("Kafka is away")
        self.sent += records


def sweeper(client: redis.Redis, orders: Orders, now_ms: int = NOW) -> DeadlineSweeper:
    return DeadlineSweeper(Deadlines(client), JobViews(client), orders, Codec(), lambda: now_ms, 10)


def test_a_request_is_ended_from_its_deadline_on_and_once(server, note):
    note(R1)
    orders = Orders()
    assert sweeper(server[1], orders, NOW - 1).sweep() == 0
    assert [sweeper(server[1], orders).sweep() for _ in range(2)] == [1, 0]
    (record,) = orders.sent
    order = Codec().decode(record.value, JobControl)
    assert (record.topic, record.key, order.action, order.field) == (
        "translation.control",
        b"acme/r1",
        "EXPIRE",
        "deadline",
    )
    assert order.job
    assert (order.key, order.job.priority, order.job.target_language, order.job.words) == (R1, "high", "pt", 9)


def test_an_answered_request_has_no_deadline_whichever_was_noted_first(server, note):
    note(R1)
    answer(server[1], "acme")
    assert Deadlines(server[1]).passed(NOW * 2, 10) == []
    server[1].delete("req:{acme/r1}")
    note(R1)
    assert Deadlines(server[1]).passed(NOW * 2, 10) == []


def test_two_tenants_under_one_id_have_deadlines_of_their_own(server, note):
    note(R1, THEIRS)
    assert Deadlines(server[1]).passed(NOW, 10) == [R1, THEIRS]
    answer(server[1], "acme")
    orders = Orders()
    assert sweeper(server[1], orders).sweep() == 1
    assert [Codec().decode(one.value, JobControl).key for one in orders.sent] == [THEIRS]


def test_an_order_that_kafka_does_not_store_is_sent_again(server, note):
    note(R1)
    with pytest.raises(TransientError):
        sweeper(server[1], Orders(is_away=True)).sweep()
    assert sweeper(server[1], Orders()).sweep() == 1


def test_the_oldest_deadlines_come_first_and_only_so_many_at_a_time(server, note):
    server[1].zadd("deadlines", {str(key(f"r{number}")): number for number in range(30)})
    assert Deadlines(server[1]).passed(NOW, 10) == [key(f"r{number}") for number in range(10)]


def test_a_job_of_which_nothing_else_is_known_is_ended_all_the_same(server, note):
    server[1].zadd("deadlines", {"acme/unknown": 1})
    orders = Orders()
    assert sweeper(server[1], orders).sweep() == 1
    order = Codec().decode(orders.sent[0].value, JobControl)
    assert (order.key, order.job) == (key("unknown", "acme"), None)
