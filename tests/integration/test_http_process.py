"""The HTTP process on real Kafka and Valkey: what it accepts is in the topic, what is answered can be read."""

import os
import subprocess
import sys
import time
import uuid
from functools import partial
from pathlib import Path

import httpx
import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.client_config import client_config
from connectors.kafka.partition_reader import open_tail
from connectors.kafka.settings import KafkaSettings
from connectors.redis.client import open_state
from connectors.redis.presence import ModelRegistry
from connectors.redis.settings import RedisSettings
from schemas.catalogue import catalogue_of
from schemas.codec import Codec
from schemas.messages import TranslationRequest, TranslationResult
from schemas.priorities import Priority
from schemas.states import ResultStatus
from schemas.topics import batches_topic, inference_group, requests_topic
from tests.ports import free_port

CHECKOUT = Path(__file__).parents[2]
URL = "/api/v1/translations"
BODY = {"text": "Good morning.", "source_language": "en", "target_language": "pt", "priority": "high"}
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def start(tmp_path):
    """`start(kafka, redis)` runs the process and gives a client of it. What others left waiting is no matter."""
    begun = []

    def begin(kafka_bootstrap, redis_url, least_records_per_second=1_000_000, **more):
        port = free_port()
        told = {
            "DRAGOMAN_KAFKA_BOOTSTRAP": kafka_bootstrap,
            "DRAGOMAN_REDIS_STATE_URL": redis_url,
            "DRAGOMAN_OBJECTS_URL": tmp_path.as_uri(),
            "DRAGOMAN_HTTP_PORT": str(port),
            "DRAGOMAN_HTTP_ANONYMOUS_TENANT": "default",
            "DRAGOMAN_HTTP_ACKNOWLEDGE_TIMEOUT_SECONDS": "1.5",
            "DRAGOMAN_HTTP_WATCH_SECONDS": "0.2",
            "DRAGOMAN_BACKPRESSURE_MEASURE_SECONDS": "0.2",
            "DRAGOMAN_BACKPRESSURE_LEAST_RECORDS_PER_SECOND": str(least_records_per_second),
            **more,
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "producers.http.main"], cwd=CHECKOUT, env=os.environ | told
        )
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)
        begun.append((process, client))
        wait_until(lambda: answers(client, "/health"))
        return client

    yield begin
    for process, client in begun:
        client.close()
        process.terminate()
        assert process.wait(timeout=15) == 0


def answers(client, path):
    try:
        return client.get(path).is_success
    except httpx.TransportError:
        return False


def wait_until(is_true, timeout_seconds=15.0):
    end = time.monotonic() + timeout_seconds
    while not is_true():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.05)


@pytest.mark.real
class TestOnRealServers:
    """Kafka and Valkey are there."""

    @pytest.fixture
    def api(self, start, kafka_bootstrap, redis_state_url):
        KafkaAdmin(KafkaSettings(bootstrap=kafka_bootstrap)).create_topics()
        client = start(kafka_bootstrap, redis_state_url)
        wait_until(lambda: answers(client, "/ready"))
        return client

    @pytest.fixture
    def state(self, redis_state_url):
        with open_state(RedisSettings(state_url=redis_state_url)) as client:
            yield client

    @pytest.fixture
    def read(self, api, kafka_bootstrap):
        settings = KafkaSettings(bootstrap=kafka_bootstrap)
        readers = {topic: open_tail(settings, topic) for topic in (requests_topic(Priority.HIGH),)}
        yield lambda topic: readers[topic].take(1, 10.0)[0]
        for reader in readers.values():
            reader.close()

    def test_an_accepted_request_is_in_its_topic_and_its_job_is_known(self, read, api):
        job_id = api.post(URL, json=BODY, headers={"traceparent": TRACE}).json()["job_id"]
        record = read(requests_topic(Priority.HIGH))
        request = Codec().decode(record.value, TranslationRequest)
        assert (record.key.decode(), request.request_id) == (f"default/{job_id}", job_id)
        assert (request.text, request.tenant, request.priority) == ("Good morning.", "default", "high")
        assert record.headers["traceparent"] == TRACE.encode()
        wait_until(lambda: api.get(f"{URL}/{job_id}").is_success)
        assert api.get(f"{URL}/{job_id}").json()["stage"] == "ACCEPTED"
        assert api.get(f"{URL}/{job_id}", params={"tenant": "globex"}).status_code == 404

    def test_a_text_too_large_for_kafka_lies_in_the_object_store(self, read, api, tmp_path):
        text = "Good morning. " * 60_000
        assert api.post(URL, json=BODY | {"text": text}).status_code == 202
        request = Codec().decode(read(requests_topic(Priority.HIGH)).value, TranslationRequest)
        assert request.text is None
        assert (request.content_ref or "").startswith("tenants/default/requests/")
        assert (tmp_path / (request.content_ref or "")).read_text() == text

    def test_a_result_in_redis_ends_the_waiting(self, api, state):
        job_id = str(uuid.uuid4())
        result = TranslationResult(
            request_id=job_id, tenant="default", status=ResultStatus.COMPLETED, text="Bom dia."
        )
        state.set(f"result:{{default/{job_id}}}", Codec().encode(result))
        job = api.get(f"{URL}/{job_id}", params={"wait": 10}).json()
        assert (job["status"], job["result"]["text"]) == ("COMPLETED", "Bom dia.")

    def test_a_pair_is_checked_against_what_workers_announced(self, api, state):
        ModelRegistry(state).publish("default", catalogue_of({"en-pt": "v1"}).workers[0], ttl_seconds=10)
        # Workers of other tests may have announced pairs of their own a moment ago.
        wait_until(lambda: "en-pt" in api.get("/api/v1/languages").json()["pairs"])
        answer = api.post(URL, json=BODY | {"target_language": "ja"})
        assert (answer.status_code, answer.json()["field"]) == (422, "target_language")
        assert "en-pt" in answer.json()["limit"]


def test_without_kafka_and_redis_nothing_is_promised_and_the_probes_say_why(start):
    nobody = f"127.0.0.1:{free_port()}"
    api = start(nobody, f"redis://{nobody}/0")
    answer = api.post(URL, json=BODY)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "did not acknowledge within 1.5 s" in answer.json()["detail"]
    assert api.get(f"{URL}/some-job").status_code == 503
    wait_until(lambda: "Kafka does not answer" in api.get("/ready").json()["reason"])
    assert "Redis" in api.get("/ready").json()["reason"]
    assert api.get("/health").status_code == 200


@pytest.mark.real
class TestBackpressure:
    """Nobody reads what was accepted: neither intake nor a worker runs."""

    MOST = 20

    @pytest.fixture
    def kafka(self, kafka_bootstrap):
        settings = KafkaSettings(bootstrap=kafka_bootstrap)
        KafkaAdmin(settings).create_topics()
        return settings

    @pytest.fixture
    def drain(self, kafka):
        """`drain()`: the groups of intake and of the workers have read everything."""
        client = AdminClient(client_config(kafka))

        def all_read():
            for group, topic in groups():
                ends = [
                    TopicPartition(lag.topic, lag.partition, lag.end)
                    for lag in KafkaAdmin(kafka).lag(group, [topic])
                ]
                wait_until(partial(is_moved, client, ConsumerGroupTopicPartitions(group, ends)), 30)

        return all_read

    def test_a_backlog_is_refused_in_time_nothing_accepted_is_lost_and_a_drained_one_is_taken_again(
        self, start, kafka, drain, redis_state_url
    ):
        drain()
        told = {"DRAGOMAN_BACKPRESSURE_MAX_BACKLOG_RECORDS": str(self.MOST)}
        api = start(kafka.bootstrap, redis_state_url, least_records_per_second=0.5, **told)
        wait_until(lambda: "dragoman_http_estimated_wait_seconds{" in api.get("/metrics").text)
        reader = open_tail(kafka, requests_topic(Priority.STANDARD))

        answers_given = [api.post(URL, json=BODY | {"priority": "standard"}) for _ in range(60)]
        accepted = [answer.json()["job_id"] for answer in answers_given if answer.status_code == 202]
        refused = [answer for answer in answers_given if answer.status_code != 202]
        # What is stored while a reading is on its way is counted by the next one only.
        assert self.MOST < len(accepted) <= 2 * self.MOST
        assert {answer.status_code for answer in refused} == {503}
        assert all(answer.json()["type"] == "urn:dragoman:problem:overloaded" for answer in refused)
        assert all(1 <= int(answer.headers["retry-after"]) <= 300 for answer in refused)
        # A fresh look says the same: the backlog is Kafka's, not this process's own count.
        time.sleep(0.5)
        assert api.post(URL, json=BODY | {"priority": "standard"}).status_code == 503
        assert api.post(URL, json=BODY | {"priority": "critical"}).status_code == 202

        stored = [(record.key or b"").decode() for record in reader.take(1000, 3.0)]
        reader.close()
        assert sorted(stored) == sorted(f"default/{job_id}" for job_id in accepted)

        drain()
        wait_until(lambda: api.post(URL, json=BODY | {"priority": "standard"}).status_code == 202)


def groups():
    """Every group whose lag is backlog, with its topic."""
    requests = [("intake", requests_topic(priority)) for priority in Priority]
    return [*requests, *((inference_group("default", one), batches_topic("default", one)) for one in Priority)]


def is_moved(client, read):
    try:
        (future,) = client.alter_consumer_group_offsets([read]).values()
        return all(partition.error is None for partition in future.result(10).topic_partitions)
    except KafkaException:
        # A member of another test is still being forgotten.
        return False
