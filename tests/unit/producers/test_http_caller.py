"""A caller is who their key says, and another tenant's jobs do not exist for them."""

import pytest

from connectors.redis.job_view import JobView
from tests.accounts import key_of
from tests.keys import key

URL = "/api/v1/translations"
BODY = {"text": "Good morning.", "target_language": "pt"}


@pytest.fixture
def acme(http, store):
    return http.showing(key_of(store, "acme").text)


def test_requests_count_for_the_callers_tenant(acme, world):
    assert acme.post(URL, json=BODY).status_code == 202
    assert world.appended[0][0].tenant == "acme"


def test_naming_another_tenant_is_refused(acme, world):
    answer = acme.post(URL, json=BODY | {"tenant": "globex"})
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:dragoman:problem:foreign_tenant")
    assert answer.json()["limit"] == "acme"
    assert not world.appended


def test_an_operator_acts_for_any_tenant(http, world):
    assert http.post(URL, json=BODY | {"tenant": "globex"}).status_code == 202
    assert world.appended[0][0].tenant == "globex"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("params", [{}, {"tenant": "globex"}])
def test_another_tenants_job_is_as_unknown_as_one_that_does_not_exist(acme, world, method, params):
    world.views[key("theirs", "globex")] = JobView(key=key("theirs", "globex"))
    world.views[key("mine", "acme")] = JobView(key=key("mine", "acme"))
    theirs = acme.ask(method, f"{URL}/theirs", params=params)
    nobodys = acme.ask(method, f"{URL}/nobodys", params=params)
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.json()["detail"].replace("theirs", "nobodys") == nobodys.json()["detail"]
    assert not world.ordered
    assert acme.get(f"{URL}/mine").status_code == 200


def test_of_two_jobs_under_one_id_a_caller_sees_its_own(acme, world):
    world.views[key("job", "globex")] = JobView(key=key("job", "globex"), priority="critical")
    world.views[key("job", "acme")] = JobView(key=key("job", "acme"), priority="standard")
    assert acme.get(f"{URL}/job").json()["priority"] == "standard"
    assert acme.delete(f"{URL}/job").status_code == 202
    assert [order.key for order in world.ordered] == [key("job", "acme")]
