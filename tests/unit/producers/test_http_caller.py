"""A caller who is not trusted with other tenants, as credentials will make one."""

import pytest

from connectors.redis.job_view import JobView
from producers.http.caller import Caller, caller_of

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
    world.views["theirs"] = JobView(request_id="theirs", tenant="globex")
    world.views["mine"] = JobView(request_id="mine", tenant="acme")
    theirs, nobodys = http.get(f"{URL}/theirs"), http.get(f"{URL}/nobodys")
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.json()["detail"].replace("theirs", "nobodys") == nobodys.json()["detail"]
    assert http.get(f"{URL}/mine").status_code == 200
