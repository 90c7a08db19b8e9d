"""Deadlines on a real Valkey: in from job events, out with the end of the job or with an order that is stored."""

import asyncio

import pytest
import redis
import redis.asyncio

from connectors.redis.job_ledger import JobLedger, LedgerTimes
from connectors.redis.job_view import JobViews
from connectors.redis.request_markers import Deadlines
from schemas.codec import Codec
from schemas.errors import TransientError
from schemas.events import JobControl, JobEvent
from schemas.records import OutboundRecord
from schemas.states import JobStage, ResultStatus
from stream_apps.repair.deadlines import DeadlineSweeper
from stream_apps.status.facts import update_of
from tests.valkey import running_valkey

NOW = 1_000_000
SEGMENTED = JobEvent(
    request_id="r1", tenant="acme", priority="high", stage=JobStage.SEGMENTED, words=9, deadline=NOW, at=1
)
FINISHED = JobEvent(request_id="r1", priority="high", stage=JobStage.FINISHED, status=ResultStatus.COMPLETED, at=2)


@pytest.fixture(scope="module")
def server():
    with running_valkey() as url, redis.Redis.from_url(url) as client:
        yield url, client


@pytest.fixture
def tell(server):
    url, client = server
    client.flushall()

    def tell(*events: JobEvent) -> None:
        async def apply() -> None:
            async with redis.asyncio.Redis.from_url(url) as connection:
                ledger = JobLedger(connection, LedgerTimes(60, 60), clock=lambda: NOW / 1000)
                for event in events:
                    await ledger.apply(update_of(event))

        asyncio.run(apply())

    return tell


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


def test_a_request_is_ended_from_its_deadline_on_and_once(server, tell):
    tell(SEGMENTED)
    orders = Orders()
    assert sweeper(server[1], orders, NOW - 1).sweep() == 0
    assert [sweeper(server[1], orders).sweep() for _ in range(2)] == [1, 0]
    (record,) = orders.sent
    order = Codec().decode(record.value, JobControl)
    assert (record.topic, record.key, order.action, order.field) == (
        "translation.control",
        b"r1",
        "EXPIRE",
        "deadline",
    )
    assert order.job
    assert (order.job.tenant, order.job.priority, order.job.words) == ("acme", "high", 9)


@pytest.mark.parametrize(
    "events", [(SEGMENTED, FINISHED), (FINISHED, SEGMENTED), (SEGMENTED, FINISHED, SEGMENTED)]
)
def test_a_finished_job_has_no_deadline_in_whatever_order_its_events_come(server, tell, events):
    tell(*events)
    assert Deadlines(server[1]).passed(NOW * 2, 10) == []


def test_an_order_that_kafka_does_not_store_is_sent_again(server, tell):
    tell(SEGMENTED)
    with pytest.raises(TransientError):
        sweeper(server[1], Orders(is_away=True)).sweep()
    assert sweeper(server[1], Orders()).sweep() == 1


def test_the_oldest_deadlines_come_first_and_only_so_many_at_a_time(server, tell):
    server[1].zadd("deadlines", {f"r{number}": number for number in range(30)})
    assert Deadlines(server[1]).passed(NOW, 10) == [f"r{number}" for number in range(10)]
    server[1].delete("deadlines")


def test_a_job_whose_view_is_gone_is_ended_all_the_same(server, tell):
    server[1].zadd("deadlines", {"unknown": 1})
    orders = Orders()
    assert sweeper(server[1], orders).sweep() == 1
    assert Codec().decode(orders.sent[0].value, JobControl).job is None
