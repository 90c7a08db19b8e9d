"""While too much waits, POST is refused before anything is sent, with the time of a retry."""

import asyncio
from contextlib import suppress

import pytest

from connectors.kafka.group_lag import PartitionLag
from connectors.redis.job_view import JobView
from producers.http.admission.backpressure import Backpressure, measure_backlog
from producers.http.admission.kafka_backlog import KafkaBacklog
from producers.http.admission.queue_load import BacklogReading, QueueCounts, QueuePosition
from producers.http.errors import OverloadedError
from producers.http.settings import BackpressureLimits
from schemas.errors import TransientError
from schemas.lanes import Lane
from schemas.messages import TranslationRequest
from schemas.priorities import Priority
from schemas.records import StoredAt
from schemas.states import JobStage
from schemas.topics import TopicPlan
from tests.keys import key

URL = "/api/v1/translations"
BODY = {"text": "Good morning.", "source_language": "en", "target_language": "pt"}
SHORT = CRITICAL, HIGH, STANDARD = Lane.CRITICAL, Lane.HIGH, Lane.STANDARD
# One record a second is assumed until more is measured.
LIMITS = BackpressureLimits(max_backlog_records=3000, first_records_per_second=1.0)


def reading(*waiting, at_seconds=0.0, taken=0):
    """Batches waiting for workers: critical, high, standard."""
    batches = {one: QueueCounts(count, taken) for one, count in zip(SHORT, waiting, strict=True)}
    return BacklogReading(at_seconds, {one: QueueCounts() for one in Priority}, batches)


def backpressure_after(*readings, limits=LIMITS, now=0.0):
    backpressure = Backpressure(limits, clock=lambda: now)
    for one in readings:
        backpressure.update(one)
    return backpressure


def refused(backpressure, priority):
    """The seconds of Retry-After; 0 for a request that may pass."""
    try:
        backpressure.check(priority)
    except OverloadedError as error:
        return error.retry_after_seconds
    return 0


def test_an_idle_platform_takes_everything():
    assert not any(refused(backpressure_after(reading(0, 0, 0)), one) for one in SHORT)


def test_a_request_is_told_its_place_in_the_queue():
    busy = backpressure_after(reading(1, 2, 30))
    for one in (CRITICAL, STANDARD):
        busy.count(one.priority)
    # The critical one that was just counted is ahead of the standard one, and nobody is ahead of itself.
    assert [busy.ahead(one) for one in (CRITICAL, STANDARD)] == [
        QueuePosition(1, 2.0),
        QueuePosition(34, 35.0),
    ]
    assert Backpressure(LIMITS).ahead(STANDARD) is None


def test_a_flood_of_standard_work_refuses_standard_requests_only():
    flooded = backpressure_after(reading(0, 0, 1250))
    assert [refused(flooded, one) for one in SHORT] == [0, 0, 50]


def test_what_is_refused_to_critical_is_refused_to_all():
    flooded = backpressure_after(reading(100, 0, 0))
    assert [refused(flooded, one) for one in SHORT] == [40, 40, 40]


def test_a_backlog_over_the_number_is_refused_however_fast_it_falls():
    before, now = reading(0, 0, 90_000), reading(0, 0, 80_000, at_seconds=30, taken=10_000)
    fast = backpressure_after(before, now, limits=LIMITS.model_copy(update={"smoothing_seconds": 0.1}))
    with pytest.raises(OverloadedError, match="80000 records"):
        fast.check(STANDARD)
    # 77,000 records too many at 1000 a second (three queues of the fake took 10,000 each).
    assert refused(fast, STANDARD) == 77


def test_a_retry_is_never_asked_for_later_than_configured():
    assert refused(backpressure_after(reading(0, 0, 100_000)), STANDARD) == LIMITS.max_retry_after_seconds


def test_a_faster_drain_ends_the_refusals():
    before, now = reading(0, 0, 2000), reading(0, 0, 1700, at_seconds=30, taken=300)
    assert refused(backpressure_after(before), STANDARD) == 300
    assert refused(backpressure_after(before, now, now=30), STANDARD) == 0


def test_requests_accepted_between_two_readings_count_at_once():
    backpressure = backpressure_after(reading(60, 0, 0))
    assert refused(backpressure, CRITICAL) == 0
    backpressure.count(CRITICAL)
    assert refused(backpressure, CRITICAL) == 1
    backpressure.update(reading(60, 0, 0))
    assert refused(backpressure, CRITICAL) == 0


def test_a_stuck_record_that_nobody_takes_refuses_nobody():
    backpressure = backpressure_after(*(reading(1, 0, 0, at_seconds=3 * turn) for turn in range(1000)), now=2997)
    assert not any(refused(backpressure, one) for one in SHORT)


def test_a_worker_that_stopped_is_noticed():
    waiting = [reading(0, 0, 5000, at_seconds=3 * turn) for turn in range(100)]
    fast = LIMITS.model_copy(update={"first_records_per_second": 100.0, "max_backlog_records": 10_000})
    assert refused(backpressure_after(waiting[0], limits=fast), STANDARD) == 0
    assert refused(backpressure_after(*waiting, limits=fast, now=297), STANDARD) == 300


@pytest.mark.parametrize(("age_seconds", "is_refused"), [(59, True), (61, False)])
def test_a_reading_counts_for_a_bounded_time(age_seconds, is_refused):
    backpressure = backpressure_after(reading(100, 0, 0), now=age_seconds)
    assert bool(refused(backpressure, CRITICAL)) is is_refused


def test_before_the_first_reading_every_request_may_pass():
    assert not any(refused(backpressure_after(), one) for one in SHORT)


def test_http_answers_503_with_the_time_of_a_retry_and_sends_nothing(http, world, backpressure):
    backpressure.update(reading(0, 0, 1250))
    answer = http.post(URL, json=BODY)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "50")
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "urn:dragoman:problem:overloaded"
    assert "in 50 s" in problem["cure"]
    assert not world.appended
    assert not world.texts
    assert http.post(URL, json=BODY | {"priority": "critical"}).status_code == 202


def test_http_looks_at_jobs_while_it_accepts_none(http, world, backpressure):
    backpressure.update(reading(100, 100, 10_000))
    world.views[key("job-1")] = JobView(key=key("job-1"), stage=JobStage.ACCEPTED)
    assert http.get(f"{URL}/job-1").status_code == 200


def test_an_accepted_request_counts_and_a_failed_one_does_not(http, world, backpressure):
    backpressure.update(reading(59, 0, 0))
    world.take_away("kafka")
    urgent = BODY | {"priority": "critical"}
    assert http.post(URL, json=urgent).json()["type"].endswith("temporarily_unavailable")
    world.away.clear()
    assert [http.post(URL, json=urgent).status_code for _ in range(3)] == [202, 202, 503]


def test_refusals_are_counted_by_cause(http, backpressure):
    backpressure.update(reading(0, 0, 5_000_000))
    http.post(URL, json=BODY)
    assert 'dragoman_http_refusals_total{cause="wait",priority="standard"}' in http.get("/metrics").text


class SickBacklog:
    """Fails once, then answers."""

    def __init__(self):
        self.looks = 0

    async def read(self):
        self.looks += 1
        if self.looks == 1:
            raise TransientError("Kafka is away")
        return reading(100, 0, 0)


def test_a_failed_measurement_is_repeated():
    backpressure, backlog = backpressure_after(), SickBacklog()

    async def for_a_moment():
        with suppress(TimeoutError):
            await asyncio.wait_for(measure_backlog(backpressure, backlog, every_seconds=0.001), 0.2)

    asyncio.run(for_a_moment())
    assert backlog.looks > 1
    assert refused(backpressure, CRITICAL) == 40


class QuickBacklog:
    """Counts how often it is read."""

    def __init__(self):
        self.looks = 0

    async def read(self):
        self.looks += 1
        return reading(0, 0, 0)


def test_at_rest_nobody_measures_and_the_first_post_after_it_is_measured_for_at_once():
    now = [0.0]
    backpressure, backlog = Backpressure(LIMITS, clock=lambda: now[0]), QuickBacklog()

    async def looks_in_a_moment():
        before = backlog.looks
        await asyncio.sleep(0.05)
        return backlog.looks - before

    async def a_rest_and_a_post():
        measuring = asyncio.create_task(measure_backlog(backpressure, backlog, every_seconds=0.001))
        found = [await looks_in_a_moment()]
        now[0] = LIMITS.reading_seconds + 1
        await asyncio.sleep(0.05)
        found.append(await looks_in_a_moment())
        backpressure.check(CRITICAL)
        found.append(await looks_in_a_moment())
        measuring.cancel()
        return found

    at_the_start, at_rest, after_a_post = asyncio.run(a_rest_and_a_post())
    assert (at_the_start > 1, at_rest, after_a_post > 1) == (True, 0, True)


class DrainingBacklog(QuickBacklog):
    """Has a batch less at each look, until none waits."""

    async def read(self):
        self.looks += 1
        return reading(0, 0, max(20 - self.looks, 0))


def test_a_queue_that_is_worked_off_is_measured_to_its_end_though_nobody_posts(monkeypatch):
    now = [0.0]
    backpressure, backlog = Backpressure(LIMITS, clock=lambda: now[0]), DrainingBacklog()
    shown = []
    monkeypatch.setattr(backpressure, "_show", lambda load: shown.append(load.reading.batches))

    async def a_while():
        measuring = asyncio.create_task(measure_backlog(backpressure, backlog, every_seconds=0.001))
        for _ in range(200):
            now[0] += LIMITS.reading_seconds / 3
            await asyncio.sleep(0.001)
        measuring.cancel()

    asyncio.run(a_while())
    assert sum(queue.waiting for queue in shown[-1].values()) == 0
    assert backlog.looks < 40


class Admin:
    """Two partitions of every topic: one with 7 records of which 4 are read, one that nobody has read."""

    def __init__(self):
        self.asked = []

    def lags(self, groups):
        self.asked.append(groups)
        return {
            group: [
                lag for name in topics for lag in (PartitionLag(name, 0, 4, 7), PartitionLag(name, 1, -1001, 5))
            ]
            for group, topics in groups.items()
        }


def test_a_reading_adds_up_the_groups_of_intake_and_of_every_pool_and_asks_once():
    admin = Admin()
    found = asyncio.run(KafkaBacklog(admin, TopicPlan(pools=("default", "gpu")), clock=lambda: 9.0).read())
    assert found.at_seconds == 9.0
    assert found.requests[Priority.CRITICAL] == QueueCounts(waiting=8, taken=4)
    assert found.batches[HIGH] == QueueCounts(waiting=16, taken=8)
    (asked,) = admin.asked
    assert "translation.requests.standard" in asked["intake"]
    assert asked["inference.gpu.high"] == ["translation.batches.gpu.high"]
    assert asked["inference.gpu.bulk"] == [
        "translation.batches.gpu.high.bulk",
        "translation.batches.gpu.standard.bulk",
    ]


def test_a_reading_counts_what_waits_in_tenants_own_topics_by_its_priority():
    plan = TopicPlan(tenants=("acme", "globex"))
    found = asyncio.run(KafkaBacklog(Admin(), plan).read())
    assert found.requests == dict.fromkeys(Priority, QueueCounts(waiting=24, taken=12))


def test_a_book_that_waits_too_long_refuses_books_and_no_sentence():
    flooded = Backpressure(LIMITS, clock=lambda: 0.0, bulk_words=5)
    batches = {Lane.HIGH_BULK: QueueCounts(400), Lane.STANDARD_BULK: QueueCounts(1000)}
    flooded.update(BacklogReading(0.0, {}, batches))
    assert [one for one in Lane if refused(flooded, one)] == [Lane.HIGH_BULK, Lane.STANDARD_BULK]


def test_a_request_is_told_what_waits_in_the_lane_that_its_words_lead_to():
    busy = Backpressure(LIMITS, clock=lambda: 0.0, bulk_words=5)
    place = StoredAt(0, 10)
    committed = {("translation.batches.default.high", 0): 8, ("translation.batches.default.high.bulk", 0): 4}
    batches = {Lane.HIGH: QueueCounts(2), Lane.HIGH_BULK: QueueCounts(7)}
    busy.update(BacklogReading(0.0, {}, batches, committed))
    views = [JobView(key=key("j"), priority="high", words=words, last_batch=place) for words in (5, 6)]
    assert [found and found.batches_ahead for found in map(busy.position, views)] == [2, 8]


@pytest.mark.parametrize(
    ("text", "priority", "lane"),
    [
        ("one two three four five", Priority.HIGH, Lane.HIGH),
        ("one two three four five six", Priority.HIGH, Lane.HIGH_BULK),
        ("one two three four five six", Priority.CRITICAL, Lane.CRITICAL),
        (None, Priority.STANDARD, Lane.STANDARD_BULK),
    ],
)
def test_a_submission_is_judged_by_the_lane_that_it_will_wait_in(text, priority, lane):
    request = TranslationRequest(
        request_id="r", target_language="pt", text=text, content_ref=None if text else "a file of unknown length"
    )
    assert Backpressure(LIMITS, bulk_words=5).lane_of(request, priority) is lane
    assert not Backpressure(LIMITS, bulk_words=0).lane_of(request, priority).is_bulk
