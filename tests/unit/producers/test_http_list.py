"""GET /api/v1/translations: the newest first, page by page, filtered; the own tenant's only."""

import pytest

from connectors.redis.job_view import JobView
from schemas.states import JobStage, ResultStatus
from tests.accounts import NOW_MS, key_of
from tests.keys import key
from tests.unit.producers.problem import problem_of

URL = "/api/v1/translations"


@pytest.fixture
def jobs(world):
    """Ten jobs of a second each; every third is finished, every second critical."""
    for n in range(10):
        at = NOW_MS + n * 1000
        world.views[key(f"job-{n}")] = JobView(
            key=key(f"job-{n}"),
            stage=JobStage.SEGMENTED if n % 3 else JobStage.FINISHED,
            status=None if n % 3 else ResultStatus.COMPLETED,
            priority="critical" if n % 2 else "standard",
            target_language="pt",
            submitted_at=at,
            updated_at=at + 50,
        )
    world.views[key("theirs", "globex")] = JobView(key=key("theirs", "globex"), submitted_at=NOW_MS)


def listed(http, **params):
    answer = http.get(URL, params=params).raise_for_status().json()
    return [job["job_id"] for job in answer["jobs"]], answer["next_cursor"]


def test_pages_follow_each_other_without_gap_or_repeat(http, jobs):
    found, cursor = listed(http, limit=4)
    assert found == ["job-9", "job-8", "job-7", "job-6"]
    while cursor:
        more, cursor = listed(http, limit=4, cursor=cursor)
        found += more
    assert found == [f"job-{n}" for n in range(9, -1, -1)]


@pytest.mark.parametrize(
    ("params", "numbers"),
    [
        ({"status": "COMPLETED"}, [9, 6, 3, 0]),
        ({"is_finished": False, "priority": "critical"}, [7, 5, 1]),
        ({"target_language": "ja"}, []),
        ({"since": "2023-11-14T22:13:22Z", "until": "2023-11-14T22:13:24Z"}, [3, 2]),
    ],
)
def test_filters_narrow_it(http, jobs, params, numbers):
    assert listed(http, **params) == ([f"job-{n}" for n in numbers], None)


@pytest.mark.parametrize("written", ["pt-BR", "pt_br", "pb", "por-BR"])
def test_a_language_is_found_however_it_is_written(http, world, written):
    body = {"text": "Good morning.", "target_language": written, "request_id": "job"}
    assert http.post(URL, json=body).status_code == 202
    ((sent, _, _),) = world.appended
    world.views[sent.key] = JobView(
        key=sent.key, source_language="auto", target_language=sent.target_language, submitted_at=NOW_MS
    )
    assert listed(http, target_language=written, source_language="auto") == (["job"], None)


def test_a_summary_says_how_a_job_ended_and_when(http, jobs):
    (job,) = http.get(URL, params={"status": "COMPLETED", "limit": 1}).json()["jobs"]
    assert (job["job_id"], job["status"], job["is_finished"]) == ("job-9", "COMPLETED", True)
    assert (job["created_at"], job["processing_time_ms"]) == ("2023-11-14T22:13:29Z", 50)


def test_a_page_of_few_matches_ends_with_a_cursor_and_not_with_a_long_search(http, world):
    for n in range(600):
        world.views[key(f"job-{n}")] = JobView(key=key(f"job-{n}"), submitted_at=NOW_MS + n)
    found, cursor = listed(http, status="FAILED")
    assert (found, cursor is not None) == ([], True)
    assert listed(http, status="FAILED", cursor=cursor) == ([], None)


def test_a_tenant_sees_its_own_jobs_only(http, jobs, store):
    acme, operator = http.showing(key_of(store, "acme").text), http
    assert listed(acme) == ([], None)
    problem_of(acme.get(URL, params={"tenant": "globex"}), 403, "foreign_tenant")
    assert listed(operator, tenant="globex") == (["theirs"], None)


@pytest.mark.parametrize("cursor", ["é", "_w", "="])
def test_a_cursor_that_is_none_is_refused(http, jobs, cursor):
    problem_of(http.get(URL, params={"cursor": cursor}), 422, "bad_cursor")


@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": 101}, {"status": "GREEN"}, {"color": "green"}])
def test_a_filter_that_makes_no_sense_is_refused(http, params):
    assert problem_of(http.get(URL, params=params), 422, "invalid_request")["field"] == next(iter(params))
