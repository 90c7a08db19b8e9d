"""The webhooks process on real Kafka and Valkey: told at least once, with one id, killed or not."""

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import httpx
import pytest
import redis
from standardwebhooks import Webhook

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.producer import DurableProducer
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Codec
from schemas.messages import TranslationResult
from schemas.records import CALLBACK_HEADER, OutboundRecord
from schemas.states import ResultStatus
from schemas.topics import RESULTS
from stream_apps.accounts.directory import Directory
from stream_apps.accounts.webhook_secrets import WebhookSecrets
from stream_apps.runtime.process import now_ms
from tests.ports import free_port
from tests.webhooks import receiving

CHECKOUT = Path(__file__).parents[2]
PLATFORM = "a platform secret that only this test knows"

pytestmark = pytest.mark.real


@pytest.fixture
def kafka(kafka_bootstrap):
    settings = KafkaSettings(bootstrap=kafka_bootstrap)
    KafkaAdmin(settings).create_topics()
    return settings


@pytest.fixture
def publish(kafka):
    """`publish(url)`: a result with that callback is in its topic; returns its id."""
    producer = DurableProducer(kafka)

    def send(url):
        request_id, told = str(uuid.uuid4()), {CALLBACK_HEADER: b"1"} if url else {}
        result = TranslationResult(
            tenant="acme",
            request_id=request_id,
            status=ResultStatus.COMPLETED,
            completed_at=now_ms(),
            callback=url,
        )
        producer.send([OutboundRecord(RESULTS, result.key.encode(), Codec().encode(result), told)])
        return request_id

    yield send
    producer.close()


@pytest.fixture
def start(kafka, redis_state_url, tmp_path):
    """`start()` runs the process, and returns it when it is ready."""
    begun = []
    file = tmp_path / "signing.secrets"
    file.write_text(PLATFORM)

    def begin():
        port = free_port()
        told = {
            "DRAGOMAN_KAFKA_BOOTSTRAP": kafka.bootstrap,
            "DRAGOMAN_KAFKA_SESSION_TIMEOUT_MS": "6000",
            "DRAGOMAN_REDIS_STATE_URL": redis_state_url,
            "DRAGOMAN_HEALTH_PORT": str(port),
            "DRAGOMAN_SIGNING_SECRETS_FILE": str(file),
            "DRAGOMAN_REQUESTS_CALLBACK_PRIVATE_HOSTS": "true",
            "DRAGOMAN_WEBHOOKS_FIRST_RETRY_SECONDS": "0.2",
            "DRAGOMAN_WEBHOOKS_POLL_SECONDS": "0.2",
            "DRAGOMAN_WEBHOOKS_TIMEOUT_SECONDS": "5",
        }
        command = [sys.executable, "-m", "stream_apps.webhooks.main"]
        process = subprocess.Popen(command, cwd=CHECKOUT, env=os.environ | told)
        begun.append(process)
        until(lambda: is_ready(port))
        return process

    yield begin
    for process in begun:
        if process.poll() is None:
            process.terminate()
            assert process.wait(timeout=30) == 0


def is_ready(port):
    try:
        return httpx.get(f"http://127.0.0.1:{port}/ready").is_success
    except httpx.TransportError:
        return False


def until(is_true, seconds=40.0):
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.05)


def jobs(receiver):
    return [body["data"]["job_id"] for body in receiver.bodies()]


def ids(receiver):
    return {headers["webhook-id"] for headers, _ in receiver.received}


def test_a_result_is_told_signed_again_after_a_failure_and_after_the_state_was_lost(
    start, publish, redis_state_url
):
    with receiving(answers=[500, 204]) as receiver:
        start()
        publish(None)
        job = publish(receiver.url)
        until(lambda: jobs(receiver) == [job, job])
        (secret,) = WebhookSecrets([PLATFORM]).signing(Directory(), "acme", now_ms())
        for headers, body in receiver.received:
            assert Webhook(secret).verify(body, headers)["type"] == "translation.completed"
        with redis.Redis.from_url(redis_state_url) as client:
            until(lambda: b'"delivered"' in (client.hget(f"hooks:acme/{job}", "1") or b""))
            client.flushdb()
        until(lambda: jobs(receiver) == [job] * 3)
        assert len(ids(receiver)) == 1


def test_killed_while_it_posts_it_tells_again_with_the_same_id(start, publish, redis_state_url):
    with receiving(seconds=1.0) as receiver:
        process = start()
        job = publish(receiver.url)
        until(lambda: jobs(receiver) == [job])
        process.send_signal(signal.SIGKILL)
        process.wait()
        with redis.Redis.from_url(redis_state_url) as client:
            # The lease would end after 40 s.
            (queue,) = [name for name in client.keys("hooks:due:*") if client.zscore(name, f"1/acme/{job}")]
            client.zadd(queue, {f"1/acme/{job}": 1})
            client.zadd("hooks:hosts", {queue.removeprefix(b"hooks:due:"): 1})
        start()
        until(lambda: jobs(receiver) == [job, job])
        assert len(ids(receiver)) == 1
