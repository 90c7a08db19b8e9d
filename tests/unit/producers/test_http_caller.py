"""A caller who is not trusted with other tenants, as credentials will make one."""

import pytest

from connectors.redis.job_view import JobView
from producers.http.caller import Caller, caller_of
from tests.keys import key

URL = "/api/v1/translations"
BODY = {"text": "Good morning.", "target_language": "pt"}


@pytest.fixture(autouse=True)
def acme(http):
    http.app.dependency_overrides[caller_of] = lambda: Caller("acme")


def test_requests_count_for_the_callers_tenant(http, world):
    assert http.post(URL, json=BODY).status_code == 202
    assert world.appended[0][0].tenant == "acme"


def test_naming_another_tenant_is_refused(http, world):
    answer = http.post(URL, json=BODY | {"tenant": "globex"})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:dragoman:problem:foreign_tenant")
    assert answer.json()["limit"] == "acme"
    assert not world.appended


def test_another_tenants_job_is_as_unknown_as_one_that_does_not_exist(http, world):
    world.views[key("theirs", "globex")] = JobView(key=key("theirs", "globex"))
    world.views[key("mine", "acme")] = JobView(key=key("mine", "acme"))
    theirs, nobodys = http.get(f"{URL}/theirs"), http.get(f"{URL}/nobodys")
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.json()["detail"].replace("theirs", "nobodys") == nobodys.json()["detail"]
    assert http.get(f"{URL}/mine").status_code == 200


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_naming_another_tenant_for_a_job_is_refused_like_for_a_submission(http, world, method):
    world.views[key("theirs", "globex")] = JobView(key=key("theirs", "globex"))
    answer = http.ask(method, f"{URL}/theirs", params={"tenant": "globex"})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:dragoman:problem:foreign_tenant")
    assert answer.json()["field"] == "tenant"
    assert not world.ordered


def test_of_two_jobs_under_one_id_a_caller_sees_its_own(http, world):
    world.views[key("job", "globex")] = JobView(key=key("job", "globex"), priority="critical")
    world.views[key("job", "acme")] = JobView(key=key("job", "acme"), priority="standard")
    assert http.get(f"{URL}/job").json()["priority"] == "standard"
    assert http.delete(f"{URL}/job").status_code == 202
    assert [order.key for order in world.ordered] == [key("job", "acme")]
