"""DELETE /api/v1/translations/{job_id}: an order that is stored, or a job that is finished already."""

import asyncio
from typing import Any, cast

import pytest

from connectors.redis.job_view import JobView
from producers.http.adapters import BackgroundNotes, KafkaRequestLog
from schemas.codec import Codec
from schemas.errors import TransientError
from schemas.events import JobControl
from schemas.messages import TranslationResult
from schemas.states import ControlAction, JobStage
from tests.accounts import key_of
from tests.keys import key

URL = "/api/v1/translations/job"
JOB = key("job")
RUNNING = JobView(
    key=JOB,
    stage=JobStage.SEGMENTED,
    priority="high",
    segments=4,
    batches=2,
    words=9,
    submitted_at=5,
    source_language="en",
    target_language="pt",
)


def test_a_running_job_is_ordered_to_end_and_shown_as_it_was(http, world):
    world.views[JOB] = RUNNING
    answer = http.delete(URL)
    assert (answer.status_code, answer.json()["status"], answer.json()["is_finished"]) == (202, "RUNNING", False)
    (order,) = world.ordered
    assert (order.key, order.action, order.requested_by) == (JOB, "CANCEL", "http")
    assert (order.job.priority, order.job.target_language) == ("high", "pt")
    assert (order.job.words, order.job.submitted_at, order.job.revision) == (9, 5, 1)


def test_ordering_it_twice_is_harmless(http, world):
    world.views[JOB] = RUNNING
    assert [http.delete(URL).status_code for _ in range(2)] == [202, 202]


@pytest.mark.parametrize("status", ["COMPLETED", "CANCELLED"])
def test_a_finished_job_stays_as_it_is_and_nothing_is_ordered(http, world, status):
    world.results[JOB] = TranslationResult(request_id="job", tenant="default", status=status)
    answer = http.delete(URL)
    assert (answer.status_code, answer.json()["status"]) == (200, status)
    assert not world.ordered


def test_an_unknown_job_and_another_tenants_job_are_not_found(http, world, store):
    acme = http.showing(key_of(store, "acme").text)
    world.views[JOB] = RUNNING
    theirs, nobodys = acme.delete(URL), acme.delete(f"{URL}s")
    assert theirs.status_code == nobodys.status_code == 404
    assert not world.ordered


def test_nothing_is_promised_when_kafka_does_not_store_the_order(http, world):
    world.views[JOB] = RUNNING
    world.take_away("kafka")
    assert http.delete(URL).status_code == 503


def test_the_order_goes_to_the_control_topic_under_the_key_of_its_request():
    records = []

    class Sender:
        def send_async(self, record, on_done):
            records.append(record)
            on_done(None)

    order = JobControl(request_id="job", action=ControlAction.CANCEL)
    log = KafkaRequestLog(Sender(), Codec(), 1.0, BackgroundNotes(cast(Any, None)), lambda: 9, print)
    asyncio.run(log.cancel(order))
    (record,) = records
    assert (record.topic, record.key, record.partition) == ("translation.control", b"default/job", None)
    assert Codec().decode(record.value, JobControl) == order


def test_an_order_that_is_not_acknowledged_may_be_repeated():
    class Silent:
        def send_async(self, record, on_done):
            pass

    log = KafkaRequestLog(Silent(), Codec(), 0.01, BackgroundNotes(cast(Any, None)), lambda: 9, print)
    with pytest.raises(TransientError, match="a repeat is harmless"):
        asyncio.run(log.cancel(JobControl(request_id="job", action=ControlAction.CANCEL)))
