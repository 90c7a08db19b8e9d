"""GET /api/v1/dead-letters and POST /api/v1/translations/{job_id}/redrive."""

import asyncio
import threading
from dataclasses import replace

import pytest

from producers.http.blocking.dead_letters import KafkaDeadLetters
from producers.http.errors import OverloadedError
from schemas.errors import FatalError, PermanentError, TransientError
from stream_apps.redrive.open_dead_letters import DeadLetterFilter, DeadLetterSummary
from stream_apps.redrive.plans import RedrivePlan
from stream_apps.redrive.redrive import RedriveReport
from tests.accounts import NOW_MS, key_of
from tests.keys import key
from tests.unit.producers.problem import problem_of

URL, REDRIVE = "/api/v1/dead-letters", "/api/v1/translations/job/redrive"
LETTER = DeadLetterSummary(
    dead_letter_id="d1",
    stage="inference",
    cause="repetition",
    attempt=4,
    tenant="acme",
    request_id="job",
    batch_number=0,
    segment=3,
    topic="translation.batches.default.high",
    partition=1,
    offset=5,
    failed_at=NOW_MS,
    dead_letter_partition=0,
    dead_letter_offset=9,
)
OTHERS = [replace(LETTER, dead_letter_id=f"d{number}", request_id=f"job-{number}") for number in (2, 3)]
FOREIGN = replace(LETTER, dead_letter_id="d9", tenant="globex")


@pytest.fixture
def acme(http, store, world):
    world.failed = [LETTER, *OTHERS, FOREIGN]
    return http.showing(key_of(store, "acme").text)


def test_a_tenant_sees_its_own_dead_letters_and_nothing_of_what_was_sent(acme):
    first, *others = acme.get(URL).json()
    assert first == {
        "dead_letter_id": "d1",
        "job_id": "job",
        "stage": "inference",
        "cause": "repetition",
        "segment": 3,
        "batch_number": 0,
        "attempt": 4,
        "failed_at": "2023-11-14T22:13:20Z",
    }
    assert [one["dead_letter_id"] for one in others] == ["d2", "d3"]


@pytest.mark.parametrize(
    ("query", "ids"),
    [("job_id=job-2", ["d2"]), ("cause=repetition&limit=2", ["d1", "d2"]), ("cause=crash", [])],
)
def test_a_list_is_narrowed(acme, query, ids):
    assert [one["dead_letter_id"] for one in acme.get(f"{URL}?{query}").json()] == ids


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "colour=red", "tenant=A_b"])
def test_what_is_no_filter_is_refused(acme, query):
    problem_of(acme.get(f"{URL}?{query}"), 422, "invalid_request")


def test_operators_see_those_of_a_tenant_that_they_name_and_others_do_not(http, acme):
    assert [one["dead_letter_id"] for one in http.get(f"{URL}?tenant=globex").json()] == ["d9"]
    problem_of(acme.get(f"{URL}?tenant=globex"), 403, "foreign_tenant")


def test_the_dead_letters_of_a_job_are_redriven_and_the_version_is_told(acme, world):
    world.redriven[key("job", "acme")] = RedriveReport([RedrivePlan([LETTER], (), 2)], [], 1)
    assert acme.post(REDRIVE).json() == {
        "job_id": "job",
        "closed": ["d1"],
        "sent": 1,
        "version": 2,
        "refused": [],
    }


def test_what_is_refused_says_why_and_what_to_do(acme, world):
    error = PermanentError("erased", "it was erased", cure="send it anew")
    world.redriven[key("job", "acme")] = RedriveReport([], [(LETTER, error)])
    told = acme.post(REDRIVE).json()
    assert (told["closed"], told["version"]) == ([], None)
    assert told["refused"] == [
        {"dead_letter_id": "d1", "cause": "erased", "message": "it was erased", "cure": "send it anew"}
    ]


def test_a_job_without_dead_letters_of_its_own_is_told_so(acme, world):
    world.redriven[key("job", "globex")] = RedriveReport([RedrivePlan([FOREIGN], (), 2)], [], 1)
    assert problem_of(acme.post(REDRIVE), 404, "no_dead_letters")["field"] == "job_id"


def test_one_caller_reads_at_a_time_and_too_many_are_refused():
    reading, most = threading.Semaphore(1), []

    def oldest(wanted):
        most.append(reading.acquire(blocking=False))
        reading.release()
        return [LETTER]

    async def all_of(calls):
        letters = KafkaDeadLetters(oldest, lambda wanted: RedriveReport(), most_waiting=3)
        asked = [letters.open_of(DeadLetterFilter(tenant="acme")) for _ in range(calls)]
        return await asyncio.gather(*asked, return_exceptions=True)

    found = asyncio.run(all_of(5))
    assert (found[:3], most) == ([[LETTER]] * 3, [True] * 3)
    assert [type(one) for one in found[3:]] == [OverloadedError] * 2


def test_a_redrive_means_one_job_and_one_that_another_overtook_may_be_repeated():
    wanted = []

    def fenced(one):
        wanted.append(one)
        raise FatalError("fenced")

    letters = KafkaDeadLetters(lambda wanted: [], fenced)
    with pytest.raises(TransientError, match="another redrive"):
        asyncio.run(letters.redrive(key("job", "acme")))
    assert wanted == [DeadLetterFilter(tenant="acme", request="job")]
