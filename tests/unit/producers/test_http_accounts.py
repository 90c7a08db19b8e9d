"""Logins, and keys of one's own tenant. Who may ask which route is in test_http_who_may_ask.py."""

import json

import pytest

from stream_apps.accounts.changes import (
    Change,
    Login,
    Rights,
    new_user,
)
from stream_apps.accounts.passwords import hashed
from tests.accounts import NOW_MS, key_of
from tests.unit.producers.problem import problem_of

LOGIN, LOGOUT, KEYS, TRANSLATIONS = "/auth/login", "/auth/logout", "/api/v1/keys", "/api/v1/translations"
BODY = {"text": "Good morning.", "target_language": "pt"}
EMAIL, PASSWORD = "ada@acme.example", "correct horse battery"
DAY_SECONDS, DAY_MS = 24 * 3600, 24 * 3600 * 1000
CHANGE = Change("tests", NOW_MS)


def add_user(store, role="admin"):
    login = Login(tenant="acme", email=EMAIL, secret_hash=hashed_once())
    (user,) = store.change(lambda found: [new_user(found, login, Rights(role=role), CHANGE)])
    return user


def hashed_once(known=[]):  # noqa: B006  # a hash takes long; one serves all tests
    return known[0] if known else known.append(hashed(PASSWORD)) or known[0]


@pytest.mark.parametrize(
    "headers",
    [
        lambda key: {"Authorization": f"Bearer {key}"},
        lambda key: {"Authorization": f"bearer  {key}"},
        lambda key: {"Authorization": f"DeepL-Auth-Key {key}"},
        lambda key: {"X-API-Key": key},
    ],
)
def test_a_key_may_be_shown_in_several_ways(http, store, headers):
    nobody = http.showing("")
    assert nobody.get("/api/v1/account", headers=headers(key_of(store).text)).json()["role"] == "member"


@pytest.mark.parametrize(
    ("role", "grantable"),
    [("viewer", []), ("member", []), ("admin", ["viewer", "member", "admin"])],
)
def test_the_account_says_which_roles_one_may_give_to_a_key(http, store, role, grantable):
    account = http.showing(key_of(store, "acme", role=role).text).get("/api/v1/account").json()
    assert list(account["grantable_roles"]) == grantable
    if grantable:
        assert account["grantable_roles"]["viewer"] == ["documents:read", "translations:read", "usage:read"]


def test_another_scheme_is_refused_by_name(http):
    problem_of(http.get("/api/v1/account", headers={"Authorization": "Basic YTpi"}), 401, "bad_authorization")


def test_a_login_gives_a_token_for_a_day_and_a_logout_ends_every_session(http, store):
    add_user(store)
    given = http.showing("").post(LOGIN, json={"email": EMAIL.upper(), "password": PASSWORD}).json()
    assert (given["token_type"], given["expires_in"], given["tenant"]) == ("Bearer", DAY_SECONDS, "acme")
    client = http.showing(given["access_token"])
    account = client.get("/api/v1/account").json()
    assert (account["tenant"], account["role"]) == ("acme", "admin")
    assert account["scopes"] == given["scopes"]
    later = http.app.state.ports.accounts
    later.now_ms = lambda: NOW_MS + 1
    assert client.post(LOGOUT).status_code == 204
    problem_of(client.get("/api/v1/account"), 401, "ended_token")
    again = http.showing("").post(LOGIN, json={"email": EMAIL, "password": PASSWORD}).json()
    assert http.showing(again["access_token"]).get("/api/v1/account").is_success


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "incorrect horse"},
        {"email": "eve@acme.example"},
        {"password": "x" * 500},
        {"password": "a lone \ud800 surrogate"},
    ],
)
def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(http, store, wrong):
    add_user(store)
    body = json.dumps({"email": EMAIL, "password": PASSWORD} | wrong)
    answer = http.post(LOGIN, content=body, headers={"Content-Type": "application/json"})
    problem = problem_of(answer, 401, "wrong_password")
    assert problem["detail"] == "the e-mail address or the password is wrong"
    assert wrong.get("password", PASSWORD) not in answer.text


def test_a_sixth_login_within_a_minute_waits_whoever_it_is(http):
    answers = [http.post(LOGIN, json={"email": "eve@acme.example", "password": "x"}) for _ in range(6)]
    assert [one.status_code for one in answers] == [401] * 5 + [429]
    assert answers[5].headers["retry-after"] == "12"
    assert http.post(LOGIN, json={"email": "ada@acme.example", "password": "x"}).status_code == 401


class TestKeys:
    """Keys of one's own tenant."""

    @pytest.fixture
    def admin(self, http, store):
        return http.showing(key_of(store, "acme", role="admin").text)

    def test_a_key_is_made_used_changed_rotated_and_revoked(self, http, admin):
        made = admin.post(KEYS, json={"name": "shop", "role": "member"}).json()
        shop = http.showing(made["api_key"])
        assert shop.post(TRANSLATIONS, json=BODY).status_code == 202

        admin.ask("PATCH", f"{KEYS}/{made['key_id']}", json={"scopes": ["translations:read"]})
        problem_of(shop.post(TRANSLATIONS, json=BODY), 403, "missing_scope")

        rotated = admin.post(f"{KEYS}/{made['key_id']}/rotate", json={"overlap_seconds": 0}).json()
        assert (rotated["name"], rotated["scopes"]) == ("shop", ["translations:read"])
        problem_of(shop.get("/api/v1/account"), 401, "expired_credential")

        new = http.showing(rotated["api_key"])
        assert new.get("/api/v1/account").is_success
        assert admin.delete(f"{KEYS}/{rotated['key_id']}").json()["revoked_at"]
        problem_of(new.get("/api/v1/account"), 401, "revoked_credential")

    def test_a_secret_is_shown_once(self, admin, store):
        made = admin.post(KEYS, json={}).json()
        listed = admin.get(KEYS)
        assert made["key_id"] in listed.text
        assert made["api_key"] not in listed.text
        assert store.directory.credential(made["key_id"]).secret_hash not in listed.text

    def test_a_key_lives_until_its_expiry(self, http, admin):
        made = admin.post(KEYS, json={"expires_at": "2023-11-14T22:13:21+00:00"}).json()
        client = http.showing(made["api_key"])
        assert client.get("/api/v1/account").is_success
        http.app.state.ports.accounts.now_ms = lambda: NOW_MS + 1000
        problem_of(client.get("/api/v1/account"), 401, "expired_credential")

    @pytest.mark.parametrize(
        ("wish", "cause", "field"),
        [
            ({"role": "king"}, "unknown_role", "role"),
            ({"role": "viewer", "scopes": ["translations:write"]}, "unknown_scope", "scopes"),
            ({"expires_at": "2020-01-01T00:00:00Z"}, "bad_expiry", "expires_at"),
            ({"name": "x" * 300}, "bad_name", "name"),
        ],
    )
    def test_a_wish_that_makes_no_sense_is_refused_by_its_field(self, admin, wish, cause, field):
        assert problem_of(admin.post(KEYS, json=wish), 422, cause)["field"] == field

    @pytest.mark.parametrize("expires_at", ["1970-01-01T00:00:00Z", "1970-01-01T01:00:00.0005+01:00"])
    def test_an_expiry_at_the_beginning_of_time_has_passed_and_is_not_never(self, admin, expires_at):
        problem_of(admin.post(KEYS, json={"expires_at": expires_at}), 422, "bad_expiry")
        made = admin.post(KEYS, json={}).json()
        changed = admin.ask("PATCH", f"{KEYS}/{made['key_id']}", json={"expires_at": expires_at})
        problem_of(changed, 422, "bad_expiry")

    def test_nobody_makes_a_key_that_may_do_more_than_they_may(self, admin, store):
        problem_of(admin.post(KEYS, json={"role": "operator"}), 403, "more_than_own")
        operators = key_of(store, "acme", role="operator", scopes=("translations:read",)).key_id
        problem_of(admin.ask("PATCH", f"{KEYS}/{operators}", json={"scopes": []}), 403, "more_than_own")

    def test_only_keys_of_the_own_tenant_are_listed(self, admin, store):
        theirs = key_of(store, "globex").key_id
        assert theirs not in admin.get(KEYS).text
