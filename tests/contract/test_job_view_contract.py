"""What is written of a job is what is read of it: ledger, queue and views on a real Valkey."""

import asyncio
from typing import Any

import pytest
import redis
import redis.asyncio
from connectors.redis.job_ledger import JobLedger, LedgerTimes
from redis.backoff import NoBackoff
from redis.retry import Retry
from stream_apps.status.facts import update_of
from stream_apps.status.main import StatusHandler

from connectors.redis.job_view import JobView, JobViews
from schemas.codec import Codec
from schemas.errors import DecodeError, TransientError
from schemas.events import JobEvent
from schemas.records import InboundRecord
from schemas.states import JobStage, ResultStatus
from schemas.topics import STATUS
from tests.valkey import running_valkey

NEVER = Retry(NoBackoff(), 0)
NOW_SECONDS = 1_000.0
NOW = 1_000_000
TIMES = LedgerTimes(view_seconds=500, queue_seconds=900)


@pytest.fixture(scope="module")
def url():
    with running_valkey() as url:
        yield url


@pytest.fixture
def client(url):
    with redis.Redis.from_url(url) as client:
        client.flushall()
        yield client


@pytest.fixture
def views(client) -> JobViews:
    return JobViews(client, clock=lambda: NOW_SECONDS)


@pytest.fixture
def tell(url, client):
    def apply(*events: JobEvent) -> None:
        async def run() -> None:
            async with redis.asyncio.Redis.from_url(url) as connection:
                ledger = JobLedger(connection, TIMES, clock=lambda: NOW_SECONDS)
                for event in events:
                    await ledger.apply(update_of(event))

        asyncio.run(run())

    return apply


def accepted(request_id: str = "r1", **fields: Any) -> JobEvent:
    usual = {"request_id": request_id, "stage": JobStage.ACCEPTED, "tenant": "acme", "at": NOW}
    return JobEvent(**{**usual, **fields})


def segmented(request_id: str = "r1", words: int = 100, **fields: Any) -> JobEvent:
    usual = {"batches": 4, "segments": 100, "words": words, "cached_segments": 7, "submitted_at": NOW - 1_000}
    return accepted(request_id, **{**usual, "stage": JobStage.SEGMENTED, "at": NOW + 1, **fields})


def translated(number: int, request_id: str = "r1", **fields: Any) -> JobEvent:
    usual = {"batch_number": number, "batches": 4, "segments": 25, "words": 25, "at": NOW + 2 + number}
    return accepted(request_id, **{**usual, "stage": JobStage.TRANSLATED, **fields})


def finished(request_id: str = "r1", **fields: Any) -> JobEvent:
    usual = {"stage": JobStage.FINISHED, "status": ResultStatus.COMPLETED, "at": NOW + 10}
    return accepted(request_id, **{**usual, **fields})


def read(views: JobViews, request_id: str = "r1") -> JobView:
    view = views.read(request_id)
    assert view is not None
    return view


def test_an_unknown_job_has_no_view(views):
    assert views.read("nobody") is None


def test_an_accepted_job_is_seen_before_its_words_are_known(views, tell):
    tell(accepted(priority="critical", submitted_at=5))
    view = read(views)
    assert (view.stage, view.status, view.tenant, view.priority) == ("ACCEPTED", None, "acme", "critical")
    assert (view.progress, view.queue_position, view.submitted_at, view.updated_at) == (0.0, None, 5, NOW)


def test_progress_follows_the_batches(views, tell):
    tell(segmented(), translated(2), translated(0))
    view = read(views)
    assert (view.stage, view.batches, view.segments, view.words, view.cached_segments) == (
        "TRANSLATED",
        4,
        100,
        100,
        7,
    )
    assert (view.batches_done, view.segments_done, view.words_done, view.progress) == (2, 50, 50, 0.5)


def test_a_batch_that_is_reported_twice_counts_once(views, tell):
    tell(segmented(), translated(1), translated(1), translated(1, at=NOW + 50))
    assert read(views).segments_done == 25


def test_a_finished_job_stays_finished_and_leaves_the_queue(views, tell):
    tell(segmented(), finished(detail={"model": "m1"}), translated(0), accepted(at=NOW + 99))
    view = read(views)
    assert (view.stage, view.status, view.progress, view.queue_position) == ("FINISHED", "COMPLETED", 1.0, None)
    assert view.detail == {"model": "m1"}
    tell(segmented("r2", submitted_at=NOW))
    assert read(views, "r2").queue_position == 0


def test_progress_is_known_from_batches_alone_when_intake_is_late(views, tell):
    tell(translated(0))
    assert read(views).progress == 0.25


def test_whoever_answered_unseen_does_not_change_what_was_accepted(views, tell):
    tell(accepted(priority="critical"), finished(tenant="", priority="standard", status=ResultStatus.CANCELLED))
    view = read(views)
    assert (view.tenant, view.priority, view.status) == ("acme", "critical", "CANCELLED")


def test_the_queue_counts_the_same_and_higher_priorities_that_came_before(views, tell):
    tell(
        segmented("early", 10, priority="high", submitted_at=NOW - 10),
        segmented("mine", 20, priority="high", submitted_at=NOW - 5),
        segmented("late", 40, priority="high", submitted_at=NOW - 1),
        segmented("urgent", 80, priority="critical", submitted_at=NOW),
        segmented("patient", 160, priority="standard", submitted_at=NOW - 100),
        segmented("elsewhere", 320, priority="high", submitted_at=NOW - 100, pool="gpu"),
    )
    positions = {
        name: read(views, name).queue_position for name in ("early", "mine", "urgent", "patient", "elsewhere")
    }
    assert positions == {"early": 1, "mine": 2, "urgent": 0, "patient": 4, "elsewhere": 0}


def test_the_estimate_is_words_ahead_and_its_own_by_the_measured_speed(views, tell):
    tell(
        segmented("other", 1_000, priority="critical"),
        translated(0, "other", words=200, at=NOW - 6_000, priority="critical"),
        translated(1, "other", words=300, at=NOW - 20_000, priority="critical"),
        segmented("mine", 250),
    )
    # 500 words in two spans of 5 s; 500 words of the other job and 250 of its own are left.
    assert read(views, "mine").estimated_completion_seconds == pytest.approx(750 / 50)


def test_without_a_measured_speed_there_is_no_estimate(views, tell):
    tell(segmented())
    view = read(views)
    assert (view.queue_position, view.estimated_completion_seconds) == (0, None)


def test_a_batch_that_is_reported_twice_does_not_count_as_speed(views, tell):
    tell(segmented(words=200), *[translated(0, words=100, at=NOW - 6_000)] * 3)
    assert read(views).estimated_completion_seconds == pytest.approx(100 / 20)


def test_beyond_five_hundred_jobs_the_words_ahead_are_estimated_from_their_mean(views, tell):
    ahead = [segmented(f"job{number}", 10, submitted_at=NOW - 5_000 + number) for number in range(600)]
    tell(*ahead, segmented("mine", 100), translated(0, "mine", words=100, at=NOW - 6_000))
    view = read(views, "mine")
    assert view.queue_position == 600
    assert view.estimated_completion_seconds == pytest.approx(6_000 / 20)


def test_jobs_that_never_ended_are_forgotten_by_the_queue(views, tell):
    tell(segmented("lost", submitted_at=NOW - 901_000), segmented("mine"))
    assert read(views, "mine").queue_position == 0


def test_everything_expires(client, tell):
    tell(segmented(), translated(0))
    assert 0 < client.ttl("job:{r1}") <= TIMES.view_seconds
    assert 0 < client.ttl("job:{r1}:batches") <= TIMES.view_seconds


def handled(url: str, value: bytes) -> object:
    async def run() -> object:
        async with redis.asyncio.Redis.from_url(url) as connection:
            handler = StatusHandler(Codec(), JobLedger(connection, TIMES))
            return await handler.handle(InboundRecord(STATUS, 0, 1, b"r1", value))

    return asyncio.run(run())


def test_the_handler_merges_an_event_and_writes_nothing(url, client, views):
    assert handled(url, Codec().encode(finished())) == []
    assert read(views).status == "COMPLETED"


def test_the_handler_refuses_what_is_no_event(url):
    with pytest.raises(DecodeError):
        handled(url, b"{}")


def test_a_lost_redis_is_a_transient_error():
    away = redis.Redis(port=1, socket_connect_timeout=0.1, retry=NEVER)
    with pytest.raises(TransientError, match="Redis"):
        JobViews(away).read("r1")
    never = redis.asyncio.retry.Retry(NoBackoff(), 0)
    ledger = JobLedger(redis.asyncio.Redis(port=1, socket_connect_timeout=0.1, retry=never), TIMES)
    with pytest.raises(TransientError, match="Redis"):
        asyncio.run(ledger.apply(update_of(accepted())))
