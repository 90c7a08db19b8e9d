"""The analytics process on real Kafka and the embedded engine: killed again and again, every event counts once."""

import os
import random
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from functools import partial
from operator import ge
from typing import Any

import pytest

from connectors.clickhouse.client import AnalyticsClient
from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.partition_reader import scanning
from connectors.kafka.producer import DurableProducer
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Codec
from schemas.errors import TransientError
from schemas.events import DeadLetter, JobControl, OperationEvent, UsageBatch, UsageEvent
from schemas.ids import event_id
from schemas.messages import TranslationResult
from schemas.records import OutboundRecord
from schemas.states import ControlAction, OperationKind, ResultStatus, UsageKind
from schemas.topics import CONTROL, DEAD_LETTERS, OPERATIONS, RESULTS, USAGE
from stream_apps.usage_sink.reconciliation import Sums, TopicSums, reconcile
from tests.ports import free_port

pytestmark = pytest.mark.real

CODEC = Codec()
TOKEN = "a token of this test"
# A process starts within seconds; beside other tests it was seen to need a minute and more.
WAIT_SECONDS = 100
HOUR_MS = 3_600_000


class Analytics:
    """One data folder, and the process that opens it, again and again."""

    def __init__(self, bootstrap, folder):
        self.tenant = f"sink-{uuid.uuid4().hex[:8]}"
        self.kafka = KafkaSettings(bootstrap=bootstrap)
        KafkaAdmin(self.kafka).create_topics()
        self.log = folder / "analytics.log"
        port = free_port()
        self.client = AnalyticsClient(f"http://127.0.0.1:{port}", TOKEN)
        self.environment = {
            **os.environ,
            "DRAGOMAN_KAFKA_BOOTSTRAP": bootstrap,
            "DRAGOMAN_KAFKA_SESSION_TIMEOUT_MS": "6000",
            "DRAGOMAN_ANALYTICS_DSN": f"chdb://{folder / 'data'}",
            "DRAGOMAN_ANALYTICS_PORT": str(port),
            "DRAGOMAN_ANALYTICS_TOKEN": TOKEN,
            "DRAGOMAN_ANALYTICS_BATCH_SECONDS": "0.2",
            "DRAGOMAN_ANALYTICS_RECORD_SECONDS": "0.2",
            "DRAGOMAN_INSTANCE": "analytics",
            "PYTHONPATH": os.pathsep.join(sys.path),
        }

    @contextmanager
    def process(self):
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "stream_apps.usage_sink.main"]
            process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def send(self, first, count):
        producer = DurableProducer(self.kafka)
        # As assembly and workers do: several rows in one record.
        numbers = range(first, first + count)
        producer.send([self._record(numbers[at : at + 7]) for at in range(0, count, 7)])
        producer.send([self._result(number) for number in numbers])
        producer.close()

    def send_records(self, first, count):
        producer = DurableProducer(self.kafka)
        producer.send([record for number in range(first, first + count) for record in self._records(number)])
        producer.close()

    def records(self):
        """What the tables of records say; nothing while the process does not answer."""
        mine = f"tenant = '{self.tenant}'"
        sums = (
            f"SELECT count() AS n FROM requests FINAL WHERE {mine}",
            f"SELECT sum(source_words) AS n FROM requests FINAL WHERE {mine}",
            f"SELECT count() AS n FROM open_dead_letters WHERE {mine}",
            f"SELECT count() AS n FROM audit FINAL WHERE {mine}",
            f"SELECT sum(dateDiff('millisecond', since, until)) AS n FROM worker_intervals FINAL"
            f" WHERE worker = '{self.tenant}'",
        )
        try:
            return tuple(self.client.query(sql)[0]["n"] for sql in sums)
        except TransientError:
            return (0,) * len(sums)

    def count(self):
        """(events, different events, words in raw, words in the rollup); nothing while it does not answer."""
        where = f"WHERE tenant = '{self.tenant}'"
        words, ids = "sum(source_words) AS words", "uniqExact(event_id) AS ids"
        try:
            (row,) = self.client.query(f"SELECT count() AS n, {ids}, {words} FROM usage_events {where}")
            (rolled,) = self.client.query(f"SELECT {words} FROM usage_hourly {where}")
        except TransientError:
            return (0, 0, 0, 0)
        return (row["n"], row["ids"], row["words"], rolled["words"])

    def has_more_than(self, events):
        return self.count()[0] > events

    def reconciled(self):
        """(sums of the results topic, what the books say differently), as `reconcile` compares them."""
        now = round(time.time() * 1000)
        topic = TopicSums(CODEC, now - HOUR_MS, now)
        with scanning(self.kafka, KafkaAdmin(self.kafka).spans([RESULTS], topic.since_ms)) as scan:
            for records in scan.until_done(500):
                topic.add(records)
        found = reconcile(topic, self.client.query)
        mine = [one for one in found.differences if one.tenant == self.tenant]
        return topic.by_tenant()[self.tenant], mine, found.rollup_hours

    def wait_for(self, condition):
        end = time.monotonic() + WAIT_SECONDS
        while not condition():
            assert time.monotonic() < end, self.log.read_text()[-2000:]
            time.sleep(0.2)

    def _records(self, number):
        """An answer, a dead letter (every second one is closed), an order, and a second of a worker."""
        now, key = round(time.time() * 1000), f"{self.tenant}/r{number}".encode()
        request: dict[str, Any] = {"tenant": self.tenant, "request_id": f"r{number}"}
        letter_id = f"{self.tenant}-{number}"
        letter = DeadLetter(dead_letter_id=letter_id, stage="s", cause="c", message="", failed_at=now, **request)
        order = JobControl(**request, action=ControlAction.CANCEL, at=now)
        began = HOUR_MS + now // (24 * HOUR_MS) * 24 * HOUR_MS - 24 * HOUR_MS
        worker = OperationEvent(
            event_id=letter_id, kind=OperationKind.WORKER, actor=self.tenant, state="ready", since=began,
            at=began + (number + 1) * 1000,
        )  # fmt: skip
        yield self._result(number)
        yield OutboundRecord(DEAD_LETTERS, letter_id.encode(), CODEC.encode(letter))
        if number % 2:
            yield OutboundRecord(DEAD_LETTERS, letter_id.encode(), None)
        yield OutboundRecord(CONTROL, key, CODEC.encode(order))
        yield OutboundRecord(OPERATIONS, self.tenant.encode(), CODEC.encode(worker))

    def _result(self, number):
        result = TranslationResult(
            tenant=self.tenant, request_id=f"r{number}", status=ResultStatus.COMPLETED, source_words=3,
            completed_at=round(time.time() * 1000),
        )  # fmt: skip
        return OutboundRecord(RESULTS, f"{self.tenant}/r{number}".encode(), CODEC.encode(result))

    def _record(self, numbers):
        events = [
            UsageEvent(
                event_id=event_id(self.tenant, number), kind=UsageKind.BILLED, tenant=self.tenant,
                request_id=f"r{number}", source_words=3, at=round(time.time() * 1000),
            )
            for number in numbers
        ]  # fmt: skip
        return OutboundRecord(USAGE, None, CODEC.encode(UsageBatch(events)))


@pytest.fixture
def analytics(kafka_bootstrap, tmp_path):
    return Analytics(kafka_bootstrap, tmp_path)


def test_answers_dead_letters_orders_and_workers_are_rows_once_though_the_sink_is_killed(analytics):
    analytics.send_records(0, 60)
    with analytics.process():
        analytics.wait_for(lambda: analytics.records()[0] > 0)
    analytics.send_records(60, 60)
    with analytics.process():
        # Each topic is inserted by itself.
        analytics.wait_for(lambda: all(map(ge, analytics.records(), (120, 360, 60, 120, 120_000))))
        # Requests, their words; dead letters that are open; orders; milliseconds of the worker.
        assert analytics.records() == (120, 360, 60, 120, 120_000)


# Each round is a start of the process, and its group lets the killed member go after 6 s.
MANY = pytest.param(25, marks=[pytest.mark.slow, pytest.mark.timeout(2400)])


@pytest.mark.parametrize("kills", [3, MANY])
def test_every_usage_event_counts_once_though_the_sink_is_killed(analytics, kills):
    sent, chance = 0, random.Random(7)
    for number in range(kills):
        analytics.send(sent, 700)
        with analytics.process():
            if number % 3 < 2:
                # Killed while it writes: somewhere behind the first rows of this round.
                analytics.wait_for(partial(analytics.has_more_than, sent))
            else:
                # Or wherever it is: while it starts, joins, announces or inserts.
                time.sleep(chance.uniform(0.5, 6.0))
        sent += 700
    with analytics.process() as process:
        analytics.wait_for(lambda: analytics.count()[0] >= sent)
        analytics.wait_for(lambda: analytics.records()[0] >= sent)
        time.sleep(1.0)  # for a repeated range, which must not count
        assert analytics.count() == (sent, sent, 3 * sent, 3 * sent)
        # To the word: the results topic, the raw events, the requests and the rollup.
        assert analytics.reconciled() == (Sums(sent, 3 * sent), [], 0)
        process.terminate()
        assert process.wait(20) == 0
