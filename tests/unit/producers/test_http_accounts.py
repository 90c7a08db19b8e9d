"""Who may ask by HTTP: every route with every caller who may not; logins, and keys of one's own tenant."""

from dataclasses import replace

import pytest

from schemas.accounts import TenantStatus
from stream_apps.accounts.changes import (
    Change,
    Login,
    Rights,
    TenantChange,
    changed_tenant,
    new_user,
)
from stream_apps.accounts.passwords import hashed
from stream_apps.accounts.tokens import Token, Tokens
from tests.accounts import NOW_MS, SECRET, key_of
from tests.unit.producers.problem import problem_of

LOGIN, LOGOUT, KEYS, TRANSLATIONS = "/auth/login", "/auth/logout", "/api/v1/keys", "/api/v1/translations"
BODY = {"text": "Good morning.", "target_language": "pt"}
EMAIL, PASSWORD = "ada@acme.example", "correct horse battery"
DAY_SECONDS, DAY_MS = 24 * 3600, 24 * 3600 * 1000
CHANGE = Change("tests", NOW_MS)
# Nobody needs a key to log in, or to look after the process.
OPEN = {LOGIN, "/health", "/ready", "/metrics", "/openapi.json", "/docs", "/docs/oauth2-redirect"}
# What a viewer may do is any caller's.
FOR_ALL = {("POST", LOGOUT), ("GET", "/api/v1/account")}
OF_GLOSSARIES = {("POST", "/api/v1/glossaries"), ("DELETE", "/api/v1/glossaries/x")}
BODIES = {
    ("POST", TRANSLATIONS): BODY,
    ("POST", KEYS): {},
    ("POST", f"{KEYS}/x/rotate"): {},
    ("PATCH", f"{KEYS}/x"): {},
    ("POST", "/api/v1/webhooks/secret/rotate"): {},
}
# Of a foreign tenant: what is named by an id is not there.
NAMED = "x"


def routes(app):
    """Return method and path of every route that needs a key; ids are `x`."""
    paths = app.openapi()["paths"]
    found = {
        (method.upper(), path.replace("{job_id}", NAMED).replace("{key_id}", NAMED).replace("{glossary}", NAMED))
        for path, methods in paths.items()
        for method in methods
        if path not in OPEN
    }
    assert len(found) > 8
    return sorted(found)


def ask(client, method, path):
    rest = {"json": BODIES[method, path]} if (method, path) in BODIES else {}
    return client.ask(method, path, **rest)


def shown(store, kind):
    """Return what a caller of that kind shows."""
    key, user = key_of(store, "acme", role="admin"), add_user(store)
    ours, others = (
        Tokens([secret], DAY_SECONDS) for secret in (SECRET, "another secret, as long as the right one")
    )

    def dead(**changes):
        store.change(lambda found: [replace(found.credential(key.key_id), **changes)])
        return key.text

    def token(tokens, issued_at_ms):
        return tokens.issue(Token(user.credential_id, "acme", issued_at_ms), [])

    return {
        "no_credentials": lambda: "",
        "unknown_key": lambda: key.text[:-1] + ("A" if key.text[-1] != "A" else "B"),
        "revoked_credential": lambda: dead(revoked_at=NOW_MS),
        "expired_credential": lambda: dead(expires_at=NOW_MS),
        "expired_token": lambda: token(ours, NOW_MS - DAY_MS - 31_000),
        "ended_token": lambda: token(ours, NOW_MS - 1),
        "bad_token": lambda: token(others, NOW_MS),
    }[kind]()


def add_user(store, role="admin"):
    login = Login(tenant="acme", email=EMAIL, secret_hash=hashed_once())
    (user,) = store.change(lambda found: [new_user(found, login, Rights(role=role), CHANGE)])
    return user


def hashed_once(known=[]):  # noqa: B006  # a hash takes long; one serves all tests
    return known[0] if known else known.append(hashed(PASSWORD)) or known[0]


@pytest.mark.parametrize(
    "kind",
    [
        "no_credentials",
        "unknown_key",
        "revoked_credential",
        "expired_credential",
        "expired_token",
        "ended_token",
        "bad_token",
    ],
)
def test_whoever_shows_nothing_that_lives_is_refused_by_every_route(http, store, world, kind):
    client = http.showing(shown(store, kind))
    for method, path in routes(http.app):
        answer = ask(client, method, path)
        problem = problem_of(answer, 401, kind)
        assert answer.headers["www-authenticate"] == "Bearer"
        assert problem["cure"], (method, path)
    assert not world.appended
    assert not world.ordered


def test_a_caller_without_the_scope_is_refused_by_every_route_that_needs_one(http, store, world):
    # Only the two routes that change glossaries need this scope.
    client = http.showing(key_of(store, "acme", scopes=("glossaries:write",)).text)
    for method, path in routes(http.app):
        answer = ask(client, method, path)
        if (method, path) in OF_GLOSSARIES:
            assert answer.status_code in (400, 404, 422), (method, path)
        elif (method, path) in FOR_ALL:
            assert answer.is_success, (method, path)
        else:
            assert "glossaries:write" in problem_of(answer, 403, "missing_scope")["limit"]
    assert not world.appended


def test_a_foreign_tenants_things_are_not_there_for_any_route_that_names_one(http, store):
    theirs = key_of(store, "globex").key_id
    client = http.showing(key_of(store, "acme", role="admin").text)
    named = [(method, path) for method, path in routes(http.app) if f"/{NAMED}" in path]
    assert len(named) >= 6
    for method, path in named:
        for thing in (theirs, "nobodys"):
            answer = client.ask(method, path.replace(f"/{NAMED}", f"/{thing}"), **body_of(method, path))
            assert answer.status_code == 404, (method, path)


def body_of(method, path):
    return {"json": BODIES[method, path]} if (method, path) in BODIES else {}


def test_a_suspended_tenant_is_refused_by_every_route_and_an_operator_cannot_act_for_it(http, store):
    key = key_of(store, "acme", role="admin")
    suspend = TenantChange(status=TenantStatus.SUSPENDED)
    store.change(lambda found: [changed_tenant(found, "acme", suspend, CHANGE)])
    for method, path in routes(http.app):
        problem_of(ask(http.showing(key.text), method, path), 403, "tenant_suspended")
    problem_of(http.post(TRANSLATIONS, json=BODY | {"tenant": "acme"}), 403, "tenant_suspended")


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
    "wrong", [{"password": "incorrect horse"}, {"email": "eve@acme.example"}, {"password": "x" * 500}]
)
def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(http, store, wrong):
    add_user(store)
    answer = http.post(LOGIN, json={"email": EMAIL, "password": PASSWORD} | wrong)
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

    def test_nobody_makes_a_key_that_may_do_more_than_they_may(self, admin, store):
        problem_of(admin.post(KEYS, json={"role": "operator"}), 403, "more_than_own")
        operators = key_of(store, "acme", role="operator", scopes=("translations:read",)).key_id
        problem_of(admin.ask("PATCH", f"{KEYS}/{operators}", json={"scopes": []}), 403, "more_than_own")

    def test_only_keys_of_the_own_tenant_are_listed(self, admin, store):
        theirs = key_of(store, "globex").key_id
        assert theirs not in admin.get(KEYS).text


def test_the_document_says_which_routes_need_a_key(http):
    paths = http.app.openapi()["paths"]
    assert {
        path for path, methods in paths.items() if any("security" not in one for one in methods.values())
    } <= OPEN
