"""POST /api/v1/translations/{job_id}/erase: an order that is stored, and what is left to see of an erased job."""

from dataclasses import replace

import pytest

from connectors.redis.job_view import JobView
from producers.http.translations.responses import JobResponse
from schemas.messages import TranslationResult
from schemas.states import JobStage, ResultStatus
from tests.keys import key
from tests.unit.producers.problem import problem_of

JOB = key("job")
URL, ERASE = "/api/v1/translations/job", "/api/v1/translations/job/erase"
AT_MS = 1_700_000_000_000
FINISHED = JobView(key=JOB, stage=JobStage.FINISHED, status=ResultStatus.COMPLETED, priority="high", words=9)
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


def test_an_unknown_job_cannot_be_erased(http, world):
    assert http.post(ERASE).status_code == 404
    assert world.ordered == []
