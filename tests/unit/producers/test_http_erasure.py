"""POST /api/v1/translations/{job_id}/erase: an order that is stored, and what is left to see of an erased job."""

import asyncio
from dataclasses import replace

import pytest

from connectors.redis.job_view import JobView
from producers.http.blocking.past_jobs import BookedJobs, NoPastJobs
from producers.http.translations.responses import JobResponse
from schemas.errors import PermanentError, TransientError
from schemas.ids import JobKey
from schemas.messages import TranslationResult
from schemas.states import JobStage, ResultStatus
from tests.keys import key
from tests.unit.producers.problem import problem_of

JOB = key("job")
URL, ERASE = "/api/v1/translations/job", "/api/v1/translations/job/erase"
AT_MS = 1_700_000_000_000
FINISHED = JobView(key=JOB, stage=JobStage.FINISHED, status=ResultStatus.COMPLETED, priority="high", words=9)
ROWS = [
    {
        **{"status": "COMPLETED", "kind": "text", "priority": "high", "pool": "default"},
        **{"source_language": "en", "target_language": "pt", "segments": 1, "cached_segments": 0},
        **{"source_words": 9, "submitted_ms": 3, "completed_ms": 4},
    }
]
RESULT = TranslationResult(request_id="job", status=ResultStatus.COMPLETED, text="Bom dia.", source_words=2)


def test_a_finished_job_is_ordered_to_be_erased_and_shown_as_it_was(http, world):
    world.views[JOB], world.results[JOB] = FINISHED, RESULT
    answer = http.post(ERASE)
    assert (answer.status_code, answer.json()["status"], answer.json()["erased_at"]) == (202, "COMPLETED", None)
    (order,) = world.ordered
    assert (order.key, order.action, order.cause, order.requested_by) == (JOB, "ERASE", "erased", "http")


def test_a_running_job_is_ordered_to_be_erased_with_its_header(http, world):
    world.views[JOB] = replace(FINISHED, stage=JobStage.SEGMENTED, status=None)
    assert http.post(ERASE).status_code == 202
    assert (world.ordered[0].job.priority, world.ordered[0].job.words) == ("high", 9)


@pytest.mark.parametrize("has_result", [True, False])
def test_an_erased_job_keeps_its_status_and_is_not_ordered_again(http, world, has_result):
    world.views[JOB] = replace(FINISHED, erased_at=AT_MS)
    if has_result:
        world.results[JOB] = replace(RESULT, text=None, erased_at=AT_MS)
    answer = http.post(ERASE)
    job = JobResponse.model_validate(answer.json())
    assert (answer.status_code, job.status, job.is_finished) == (200, "COMPLETED", True)
    assert answer.json()["erased_at"] == "2023-11-14T22:13:20Z"
    assert world.ordered == []
    assert "Bom dia." not in http.get(URL).text


@pytest.mark.parametrize("path", ["download", "download?bilingual=tmx", "events"])
def test_texts_and_files_of_an_erased_job_are_gone(http, world, path):
    world.views[JOB] = replace(FINISHED, erased_at=AT_MS)
    answer = http.get(f"{URL}/{path}")
    problem = problem_of(answer, 410, "erased")
    assert problem["field"] == "job_id"
    assert "new id" in problem["cure"]


def test_a_job_that_the_state_has_forgotten_is_ordered_to_be_erased_while_the_books_know_it(http, world):
    world.past[JOB] = FINISHED
    answer = http.post(ERASE)
    assert (answer.status_code, answer.json()["status"], answer.json()["word_count"]) == (202, "COMPLETED", 9)
    (order,) = world.ordered
    assert (order.key, order.action, order.job.words) == (JOB, "ERASE", 9)
    # Nothing else knows it.
    assert http.get(URL).status_code == http.delete(URL).status_code == 404


def test_while_the_books_cannot_be_read_nobody_is_told_that_there_is_no_job(http, world):
    world.take_away("books")
    assert http.post(ERASE).status_code == 503
    assert world.ordered == []


def test_the_books_are_asked_for_the_newest_answer_that_kafka_may_still_hold():
    asked = []

    class Client:
        def query(self, sql):
            asked.append(sql)
            return ROWS[: len(asked) - 1]

    books = BookedJobs(Client, kept_ms=1_000, now_ms=lambda: AT_MS)
    hostile = JobKey("acme", "it's \\ ' 1 OR 1=1")
    assert asyncio.run(books.find(hostile)) is None
    assert "'" not in asked[0].replace(f"unhex('{b'acme'.hex()}')", "").replace(
        f"unhex('{hostile.request_id.encode().hex()}')", ""
    )
    assert f"toInt64({AT_MS - 1_000})" in asked[0]
    found = asyncio.run(books.find(JOB))
    assert found is not None
    assert (found.key, found.status, found.words, found.priority) == (JOB, "COMPLETED", 9, "high")
    assert (found.submitted_at, found.updated_at, found.stage) == (3, 4, JobStage.FINISHED)


def test_books_that_refuse_the_question_are_books_that_cannot_be_read():
    class Client:
        def query(self, sql):
            raise PermanentError("query_refused", "no such table")

    with pytest.raises(TransientError, match="cannot be read"):
        asyncio.run(BookedJobs(Client, 1, lambda: AT_MS).find(JOB))


def test_without_books_a_forgotten_job_is_unknown():
    assert asyncio.run(NoPastJobs().find(JOB)) is None


def test_an_unknown_job_cannot_be_erased(http, world):
    assert http.post(ERASE).status_code == 404
    assert world.ordered == []
