"""The autoscaler's process on a real Kafka: a backlog raises the wanted number, its end lowers it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import httpx
import pytest
from confluent_kafka import Consumer, TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.producer import DurableProducer
from connectors.kafka.settings import KafkaSettings
from deploy.autoscaler.keda import externalscaler_pb2 as messages
from deploy.autoscaler.keda.externalscaler_pb2_grpc import ExternalScalerStub
from schemas.priorities import Priority
from schemas.records import OutboundRecord
from schemas.topics import batches_topic, inference_group
from tests.ports import free_port

CHECKOUT = Path(__file__).parents[2]
POOL = "scaled"
TOPIC = batches_topic(POOL, Priority.STANDARD)

pytestmark = pytest.mark.real


@dataclass
class Autoscaler:
    """The process, seen through its health endpoint."""

    port: int
    keda_address: str
    process: subprocess.Popen[bytes]

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=5)

    def replicas_for_keda(self) -> int:
        """As KEDA would ask."""
        request = messages.GetMetricsRequest(scaledObjectRef=messages.ScaledObjectRef(), metricName="replicas")
        with grpc.insecure_channel(self.keda_address) as channel:
            (value,) = ExternalScalerStub(channel).GetMetrics(request, timeout=5).metricValues
        return int(value.metricValue)

    def is_ready(self) -> bool:
        try:
            return self.get("/ready").is_success
        except httpx.TransportError:
            return False

    def metric(self, name: str, **labels: str) -> float:
        families = text_string_to_metric_families(self.get("/metrics").text)
        samples = (sample for family in families for sample in family.samples)
        return next((s.value for s in samples if s.name == name and labels.items() <= s.labels.items()), -1.0)

    def replicas(self, state: str) -> float:
        return self.metric("dragoman_autoscaler_replicas", state=state)

    def backlog_words(self) -> float:
        return self.metric("dragoman_autoscaler_backlog_words", priority="standard")


@pytest.fixture
def kafka(kafka_bootstrap: str) -> KafkaSettings:
    settings = KafkaSettings(bootstrap=kafka_bootstrap, pools=(POOL,), batch_partitions=3)
    KafkaAdmin(settings).create_topics()
    return settings


@pytest.fixture
def start() -> Iterator[Callable[[str], Autoscaler]]:
    begun: list[Autoscaler] = []

    def begin(bootstrap: str) -> Autoscaler:
        port, keda_address = free_port(), f"127.0.0.1:{free_port()}"
        told = {
            "DRAGOMAN_KAFKA_BOOTSTRAP": bootstrap,
            "DRAGOMAN_HEALTH_PORT": str(port),
            "DRAGOMAN_AUTOSCALER_POOL": POOL,
            "DRAGOMAN_AUTOSCALER_KEDA_ADDRESS": keda_address,
            "DRAGOMAN_AUTOSCALER_MIN_REPLICAS": "1",
            "DRAGOMAN_AUTOSCALER_FIRST_WORDS_PER_SECOND": "100",
            "DRAGOMAN_AUTOSCALER_STARTUP_SECONDS": "5",
            "DRAGOMAN_AUTOSCALER_INTERVAL_SECONDS": "0.3",
            "DRAGOMAN_AUTOSCALER_ARRIVAL_MEMORY_SECONDS": "0.5",
            "DRAGOMAN_AUTOSCALER_SCALE_IN_WINDOW_SECONDS": "2",
            "DRAGOMAN_AUTOSCALER_SCALE_IN_PAUSE_SECONDS": "0",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.autoscaler.main"], cwd=CHECKOUT, env=os.environ | told
        )
        begun.append(Autoscaler(port, keda_address, process))
        return begun[-1]

    yield begin
    for one in begun:
        one.process.terminate()
        assert one.process.wait(timeout=30) == 0


def until(is_true: Callable[[], bool], timeout_seconds: float = 30.0) -> None:
    end = time.monotonic() + timeout_seconds
    while not is_true():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.1)


def send(kafka: KafkaSettings, words: list[int]) -> None:
    producer = DurableProducer(kafka)
    producer.send([OutboundRecord(TOPIC, b"%d" % n, b"-", {"words": b"%d" % one}) for n, one in enumerate(words)])
    producer.close()


def commit_all(kafka: KafkaSettings, consumer: Consumer) -> None:
    """Commit the end of every partition, as the last transaction of a worker does."""
    partitions = [TopicPartition(TOPIC, number) for number in range(kafka.batch_partitions)]
    for partition in partitions:
        partition.offset = consumer.get_watermark_offsets(partition, timeout=10)[1]
    consumer.commit(offsets=partitions, asynchronous=False)


def consumer_of(kafka: KafkaSettings, priority: Priority) -> Consumer:
    group = inference_group(POOL, priority)
    return Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": group, "client.id": "worker-1"})


def test_a_backlog_raises_the_wanted_number_and_its_end_lowers_it(kafka, start):
    autoscaler = start(kafka.bootstrap)
    until(autoscaler.is_ready)
    assert (autoscaler.replicas("wanted"), autoscaler.replicas("ready")) == (1, 0)
    assert autoscaler.replicas_for_keda() == 1

    # 475 s are left for 95,000 words, exactly what two such replicas do.
    send(kafka, [475] * 200)
    until(lambda: autoscaler.backlog_words() == 95_000)
    until(lambda: autoscaler.replicas("wanted") >= 2)
    until(lambda: autoscaler.replicas_for_keda() >= 2)
    assert autoscaler.metric("dragoman_autoscaler_oldest_seconds", priority="standard") < 30

    worker = consumer_of(kafka, Priority.STANDARD)
    commit_all(kafka, worker)
    worker.close()
    until(lambda: autoscaler.backlog_words() == 0)
    until(lambda: autoscaler.replicas("wanted") == 1)
    until(lambda: autoscaler.replicas_for_keda() == 1)


def test_members_of_the_group_are_ready_replicas(kafka, start):
    worker = consumer_of(kafka, Priority.CRITICAL)
    worker.subscribe([batches_topic(POOL, Priority.CRITICAL)])
    until(lambda: worker.poll(0.2) is None and bool(worker.assignment()))
    assert KafkaAdmin(kafka).members(inference_group(POOL, Priority.CRITICAL)) == 1

    autoscaler = start(kafka.bootstrap)
    until(autoscaler.is_ready)
    assert autoscaler.replicas("ready") == 1
    worker.close()
    until(lambda: autoscaler.replicas("ready") == 0)


def test_a_group_that_does_not_exist_has_no_members(kafka):
    assert KafkaAdmin(kafka).members("nobody") == 0


def test_it_costs_next_to_nothing(kafka, start):
    autoscaler = start(kafka.bootstrap)
    until(autoscaler.is_ready)
    before = autoscaler.metric("process_cpu_seconds_total")
    time.sleep(5)
    # It measures every 0.3 s here, 16 times as often as usual.
    assert (autoscaler.metric("process_cpu_seconds_total") - before) / 5 < 0.3


def test_without_kafka_it_lives_and_says_why_it_is_not_ready(start):
    autoscaler = start(f"127.0.0.1:{free_port()}")
    until(lambda: "cannot measure" in reason_of(autoscaler), timeout_seconds=60)
    assert autoscaler.get("/health").is_success
    assert autoscaler.replicas("wanted") == -1
    with pytest.raises(grpc.RpcError, match="nothing is measured yet"):
        autoscaler.replicas_for_keda()


def reason_of(autoscaler: Autoscaler) -> str:
    try:
        return str(autoscaler.get("/ready").json()["reason"])
    except httpx.TransportError:
        return ""
