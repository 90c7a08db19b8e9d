"""GET /api/v1/translations/{job_id}: progress, waiting, the result."""

from dataclasses import replace

import pytest

from connectors.redis.job_view import JobView
from schemas.message_parts import Hole, Suspect, Warning
from schemas.messages import TranslationResult
from schemas.states import JobStage, ResultStatus
from tests.keys import key

URL = "/api/v1/translations/job"
JOB = key("job")
NOW_MS = 1_700_000_000_000


def view(**changes):
    running = JobView(
        key=JOB,
        stage=JobStage.SEGMENTED,
        priority="high",
        progress=0.25,
        segments=4,
        batches=8,
        batches_done=2,
    )
    return replace(running, **changes)


def result(**changes):
    completed = TranslationResult(
        request_id="job",
        tenant="default",
        status=ResultStatus.COMPLETED,
        priority="high",
        text="Bom dia.",
        segments=4,
        completed_at=NOW_MS,
    )
    return replace(completed, **changes)


def test_a_running_job_shows_its_progress(http, world):
    world.views[JOB] = view()
    job = http.get(URL).json()
    assert (job["job_id"], job["tenant"]) == ("job", "default")
    assert (job["progress"], job["batches_done"], job["batches"], job["segments"]) == (25, 2, 8, 4)
    assert (job["queue_position"], job["estimated_completion_seconds"]) == (None, None)
    assert (job["priority"], job["sla_seconds"]) == ("high", 120)
    assert (job["is_finished"], job["result"]) == (False, None)
    assert (job["completed_at"], job["processing_time_ms"], job["confidence_score"]) == (None, None, None)


def test_a_finished_job_shows_its_result(http, world):
    world.views[JOB] = view(stage=JobStage.FINISHED, status=ResultStatus.PARTIAL)
    world.results[JOB] = result(
        status=ResultStatus.PARTIAL,
        holes=(Hole(segment=2, cause="engine_failed"),),
        warnings=(Warning(cause="no_letters", count=3),),
        suspects=(Suspect(segment=0, cause="no_letters", start=0, length=3),),
        timings={"queue": 0.5},
        confidence=0.9,
        submitted_at=1_700_000_000_000 - 1500,
    )
    job = http.get(URL).json()
    assert job["result"]["warnings"] == [{"cause": "no_letters", "count": 3, "place": ""}]
    assert (job["status"], job["is_finished"], job["progress"], job["queue_position"]) == (
        "PARTIAL",
        True,
        100,
        None,
    )
    assert (job["created_at"], job["completed_at"]) == (job["submitted_at"], job["result"]["completed_at"])
    assert (job["word_count"], job["confidence_score"]) == (job["result"]["source_words"], 0.9)
    assert job["processing_time_ms"] == 1500

    assert job["result"]["text"] == "Bom dia."
    assert job["result"]["holes"] == [
        {"segment": 2, "cause": "engine_failed", "start": -1, "length": -1, "unit": -1, "place": ""}
    ]
    assert job["result"]["suspects"] == [
        {"segment": 0, "cause": "no_letters", "start": 0, "length": 3, "unit": -1, "place": ""}
    ]
    assert job["result"]["timings_seconds"] == {"queue": 0.5}
    assert job["result"]["completed_at"] == "2023-11-14T22:13:20Z"
    assert job["result"]["error"] is None


def test_a_result_wins_over_a_view_that_lags_behind(http, world):
    world.views[JOB] = view()
    world.results[JOB] = result()
    job = http.get(URL).json()
    assert (job["status"], job["stage"], job["progress"], job["batches_done"]) == (
        "COMPLETED",
        "FINISHED",
        100,
        8,
    )


def test_a_result_alone_is_enough(http, world):
    world.results[JOB] = result()
    assert http.get(URL).json()["result"]["text"] == "Bom dia."


def test_a_failed_job_says_why(http, world):
    world.results[JOB] = result(
        status=ResultStatus.FAILED,
        text=None,
        error_cause="unsupported_pair",
        error_message="nobody does",
        error_field="x",
    )
    assert http.get(URL).json()["result"]["error"] == {
        "cause": "unsupported_pair",
        "message": "nobody does",
        "field": "x",
    }


def test_a_large_translation_is_fetched_from_the_object_store(http, world):
    world.texts["results/job"] = "Bom dia."
    world.results[JOB] = result(text=None, content_ref="results/job")
    assert http.get(URL).json()["result"]["text"] == "Bom dia."


def test_a_caller_who_acts_for_several_tenants_names_whose_job_it_is(http, world):
    theirs = key("job", "globex")
    world.results[JOB] = result()
    world.results[theirs] = result(tenant="globex", text="Boa noite.")
    for params, text in (({}, "Bom dia."), ({"tenant": "globex"}, "Boa noite.")):
        assert http.get(URL, params=params).json()["result"]["text"] == text
    assert http.get(URL, params={"tenant": "hooli"}).status_code == 404


def test_an_unknown_job_is_a_problem(http):
    answer = http.get(URL)
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:dragoman:problem:unknown_job"
    assert answer.json()["field"] == "job_id"


def test_whoever_waits_for_a_known_job_is_told_and_looks_again_only_when_the_time_is_up(http, world):
    world.views[JOB] = view()
    world.finishes_at_look[2] = result()
    assert http.get(URL, params={"wait": 0.05}).json()["status"] == "COMPLETED"
    assert world.looks == 2


def test_waiting_ends_with_the_result_of_the_own_tenant_that_is_published(http, world):
    world.views[JOB] = view()
    world.published[key("job", "globex")] = result(tenant="globex", text="Boa noite.")
    assert http.get(URL, params={"wait": 0.01}).json()["result"] is None
    world.published[JOB] = result()
    assert http.get(URL, params={"wait": 60}).json()["result"]["text"] == "Bom dia."


def test_waiting_ends_with_the_time_though_the_job_goes_on(http, world):
    world.views[JOB] = view()
    assert http.get(URL, params={"wait": 0.01}).json()["is_finished"] is False


def test_waiting_covers_the_moment_before_a_new_job_is_visible(http, world):
    world.finishes_at_look[2] = result()
    assert http.get(URL, params={"wait": 60}).status_code == 200


def test_a_job_that_was_just_accepted_is_found_without_waiting(http, world):
    world.finishes_at_look[2] = result()
    assert http.get(URL).status_code == 200


def test_the_result_of_a_job_that_just_finished_is_waited_for(http, world):
    world.views[JOB] = view(stage=JobStage.FINISHED, status=ResultStatus.COMPLETED, updated_at=NOW_MS - 10)
    world.finishes_at_look[2] = result()
    assert http.get(URL, params={"wait": 60}).json()["result"]["text"] == "Bom dia."


def test_a_result_that_is_kept_no_longer_is_not_waited_for(http, world):
    world.views[JOB] = view(stage=JobStage.FINISHED, status=ResultStatus.COMPLETED, updated_at=NOW_MS - 60_000)
    job = http.get(URL, params={"wait": 60}).json()
    assert (job["status"], job["is_finished"], job["result"]) == ("COMPLETED", True, None)
    assert world.looks == 1


@pytest.mark.parametrize("wait", ["-1", "soon"])
def test_a_bad_wait_is_refused(http, wait):
    answer = http.get(URL, params={"wait": wait})
    assert (answer.status_code, answer.json()["field"]) == (422, "wait")


def test_a_job_cannot_be_shown_while_redis_is_away(http, world):
    world.take_away("redis", retry_after_seconds=0.5)
    answer = http.get(URL)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
