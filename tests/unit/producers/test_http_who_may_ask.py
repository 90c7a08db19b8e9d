"""Who may ask what by HTTP: every operation with every kind of caller who may not, and with one who may.

The operations come from the application itself. A new one fails here until it has a row that says who may ask.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from producers.http.description.openapi import operations_of
from schemas.accounts import TenantStatus
from schemas.deliveries import DeliveryKey
from schemas.ids import JobKey
from schemas.messages import TranslationResult
from schemas.states import ResultStatus
from stream_apps.accounts.changes import Change, Login, Rights, TenantChange, changed_tenant, new_user
from stream_apps.accounts.roles import Scope
from stream_apps.accounts.tokens import Token, Tokens
from tests.accounts import NOW_MS, SECRET, key_of
from tests.unit.producers.problem import problem_of
from tests.webhooks import delivery

DAY_SECONDS, DAY_MS = 24 * 3600, 24 * 3600 * 1000
CHANGE = Change("tests", NOW_MS)
ANYBODY, EVERY_CALLER = "anybody", "every caller"
READ, WRITE, READ_FILES, WRITE_FILES = (
    Scope.READ_TRANSLATIONS,
    Scope.WRITE_TRANSLATIONS,
    Scope.READ_DOCUMENTS,
    Scope.WRITE_DOCUMENTS,
)
WHO_MAY_ASK = {
    "submit_translation": WRITE,
    "list_translations": READ,
    "read_translation": READ,
    "stream_translation": READ,
    "cancel_translation": WRITE,
    "erase_translation": WRITE,
    "submit_document": WRITE_FILES,
    "submit_translation_document": WRITE_FILES,
    "read_document": READ_FILES,
    "download_document": READ_FILES,
    "download_translation": READ_FILES,
    "list_deliveries": READ,
    "redeliver": WRITE,
    "read_secrets": Scope.ADMIN_KEYS,
    "rotate_secret": Scope.ADMIN_KEYS,
    "list_formats": READ_FILES,
    "list_languages": READ,
    "create_glossary": Scope.WRITE_GLOSSARIES,
    "list_glossaries": READ,
    "read_glossary": READ,
    "delete_glossary": Scope.WRITE_GLOSSARIES,
    "read_usage": Scope.READ_USAGE,
    "log_in": ANYBODY,
    "log_out": EVERY_CALLER,
    "read_account": EVERY_CALLER,
    "list_keys": Scope.ADMIN_KEYS,
    "create_key": Scope.ADMIN_KEYS,
    "change_key": Scope.ADMIN_KEYS,
    "rotate_key": Scope.ADMIN_KEYS,
    "revoke_key": Scope.ADMIN_KEYS,
    "list_dead_letters": READ,
    "redrive_translation": WRITE,
    "erase_tenant": Scope.ADMIN_TENANTS,
    "read_tenant_erasure": Scope.ADMIN_TENANTS,
    "read_health": ANYBODY,
    "read_ready": ANYBODY,
    "read_metrics": ANYBODY,
    "libretranslate_translate": WRITE,
    "libretranslate_detect": READ,
    "libretranslate_languages": READ,
    "libretranslate_settings": ANYBODY,
    "libretranslate_translate_file": WRITE_FILES,
    "libretranslate_download_file": ANYBODY,
    "libretranslate_suggest": ANYBODY,
    "deepl_translate": WRITE,
    "deepl_usage": Scope.READ_USAGE,
    "deepl_usage_by_post": Scope.READ_USAGE,
    "deepl_languages": READ,
    "deepl_languages_by_post": READ,
    "deepl_send_document": WRITE_FILES,
    "deepl_document_status": READ_FILES,
    "deepl_document_status_by_get": READ_FILES,
    "deepl_document_result": READ_FILES,
    "deepl_document_result_by_get": READ_FILES,
    "deepl_glossary_pairs": READ,
    "deepl_create_glossary": Scope.WRITE_GLOSSARIES,
    "deepl_list_glossaries": READ,
    "deepl_read_glossary": READ,
    "deepl_delete_glossary": Scope.WRITE_GLOSSARIES,
    "deepl_glossary_entries": READ,
    "deepl_create_multilingual_glossary": Scope.WRITE_GLOSSARIES,
    "deepl_list_multilingual_glossaries": READ,
    "deepl_read_multilingual_glossary": READ,
    "deepl_change_multilingual_glossary": Scope.WRITE_GLOSSARIES,
    "deepl_delete_multilingual_glossary": Scope.WRITE_GLOSSARIES,
    "deepl_multilingual_glossary_entries": READ,
    "deepl_replace_dictionary": Scope.WRITE_GLOSSARIES,
    "deepl_delete_dictionary": Scope.WRITE_GLOSSARIES,
}
# Which operations there are is tested there (test_http_description.py).
STORED = Path(__file__).parents[3] / "docs" / "reference" / "openapi.json"
OPERATIONS = list(operations_of(json.loads(STORED.read_text())))
GUARDED = [
    (place, operation) for place, operation in OPERATIONS if WHO_MAY_ASK.get(operation["operationId"]) != ANYBODY
]
COMPATIBLE = ("LibreTranslate", "DeepL")


def ask(client, place, operation, **names):
    """Ask with the examples of the document; `names` are in the address."""
    path = place.path
    for one in operation.get("parameters", ()):
        if one["in"] == "path":
            path = path.replace(f"{{{one['name']}}}", names.get(one["name"], one["example"]))
    return client.ask(place.method.upper(), path, **body_of(operation))


def body_of(operation):
    content = operation.get("requestBody", {}).get("content", {})
    if "multipart/form-data" in content:
        example = next(iter(content["multipart/form-data"]["examples"].values()))
        fields = {name: value for name, value in example["value"].items() if name != "file"}
        return {"files": {"file": ("letter.txt", b"Good morning.")}, "data": fields}
    if not content:
        return {}
    return {"json": next(iter(content["application/json"]["examples"].values()))["value"]}


def refused(answer, operation, status, cause=None):
    """Check a refusal: a problem, or in the form of the original, which says 403 for either."""
    if operation["tags"][0] in COMPATIBLE:
        assert answer.status_code == 403, operation["operationId"]
        assert list(answer.json()) in (["message"], ["error"])
        return
    problem = problem_of(answer, status, cause)
    if status == 401:
        assert answer.headers["www-authenticate"] == "Bearer"
    assert status == 403 or problem["field"] == "Authorization"


def shown(store, kind):
    """Return what a caller of that kind shows."""
    key = key_of(store, "acme", role="admin")
    login = Login(tenant="acme", email="ada@acme.example", secret_hash="no password fits")
    (user,) = store.change(lambda found: [new_user(found, login, Rights(role="admin"), CHANGE)])
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


def test_every_operation_says_who_may_ask_it():
    assert {operation["operationId"] for _, operation in OPERATIONS} == WHO_MAY_ASK.keys()


def test_the_document_says_the_same():
    for _, operation in OPERATIONS:
        is_open = WHO_MAY_ASK[operation["operationId"]] == ANYBODY
        assert (operation["security"] == []) == is_open, operation["operationId"]


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
    for place, operation in GUARDED:
        refused(ask(client, place, operation), operation, 401, kind)
    assert not world.appended
    assert not world.ordered


def test_a_caller_with_every_scope_but_the_right_one_is_refused(http, store, world):
    for place, operation in GUARDED:
        needed = WHO_MAY_ASK[operation["operationId"]]
        if needed == EVERY_CALLER:
            continue
        others = tuple(scope for scope in Scope if scope != needed)
        client = http.showing(key_of(store, "acme", role="operator", scopes=others).text)
        refused(ask(client, place, operation), operation, 403, "missing_scope")
    assert not world.appended
    assert not world.ordered


def test_a_caller_with_the_right_scope_alone_is_heard(http, store, world):
    """Otherwise a route that refuses everybody would pass the test above."""
    world.finishes_at_look = {}
    for place, operation in GUARDED:
        needed = WHO_MAY_ASK[operation["operationId"]]
        scopes = (Scope.READ_USAGE,) if needed == EVERY_CALLER else (needed,)
        answer = ask(http.showing(key_of(store, "acme", role="operator", scopes=scopes).text), place, operation)
        is_allowed = answer.status_code not in (401, 403)
        assert is_allowed or "more_than_own" in answer.text, (operation["operationId"], answer.text)


def test_a_suspended_tenant_is_refused_by_every_route_and_an_operator_cannot_act_for_it(http, store):
    client = http.showing(key_of(store, "acme", role="admin").text)
    suspend = TenantChange(status=TenantStatus.SUSPENDED)
    store.change(lambda found: [changed_tenant(found, "acme", suspend, CHANGE)])
    for place, operation in GUARDED:
        refused(ask(client, place, operation), operation, 403, "tenant_suspended")
    body = {"text": "Good morning.", "target_language": "pt", "tenant": "acme"}
    problem_of(http.post("/api/v1/translations", json=body), 403, "tenant_suspended")


class TestForeignThings:
    """What belongs to another tenant: named by an id it is not there, named by its tenant it is refused."""

    @pytest.fixture
    def theirs(self, http, store, world):
        """Things of globex, by the names of parameters."""
        owner = http.showing(key_of(store, "globex", role="admin").text)
        made = owner.post("/api/v1/keys", json={"name": "shop"}).json()
        entries = {"cart": "carrinho"}
        wish = {"name": "shop", "source_language": "en", "target_language": "pt", "entries": entries}
        assert owner.post("/api/v1/glossaries", json=wish).status_code == 201
        job = JobKey("globex", "theirs")
        world.results[job] = TranslationResult(**job._asdict(), status=ResultStatus.COMPLETED, text="Bom dia.")
        world.deliveries.enqueue([replace(delivery(), key=DeliveryKey(job, 1))])
        names = {"job_id": "theirs", "key_id": made["key_id"], "glossary": "shop", "glossary_id": "shop@1"}
        return names, owner

    @staticmethod
    def named():
        found = [
            (place, operation)
            for place, operation in GUARDED
            if any(one["in"] == "path" for one in operation.get("parameters", ()))
            and WHO_MAY_ASK[operation["operationId"]] != Scope.ADMIN_TENANTS
        ]
        assert len(found) > 12
        return found

    def test_a_foreign_thing_is_not_there_for_any_route_that_names_one(self, http, store, theirs):
        names, owner = theirs
        client = http.showing(key_of(store, "acme", role="admin").text)
        for place, operation in self.named():
            answer = ask(client, place, operation, **names)
            assert answer.status_code == 404, (operation["operationId"], answer.text)
        kept = ("read_translation", "read_glossary", "list_keys", "list_deliveries", "download_translation")
        for place, operation in GUARDED:
            if operation["operationId"] in kept:
                assert ask(owner, place, operation, **names).status_code == 200, operation["operationId"]

    def test_another_tenant_cannot_be_named(self, http, store, theirs):
        names, _ = theirs
        client = http.showing(key_of(store, "acme", role="admin").text)
        asked = 0
        for place, operation in GUARDED:
            if "tenant" in {one["name"] for one in operation.get("parameters", ())}:
                path = place._replace(path=f"{place.path}?tenant=globex")
                answer = ask(client, path, operation, **names)
                assert answer.status_code in (403, 404), (operation["operationId"], answer.text)
                asked += 1
        assert asked > 10
        body = {"text": "Good morning.", "target_language": "pt", "tenant": "globex"}
        problem_of(client.post("/api/v1/translations", json=body), 403, "foreign_tenant")
        file = {"files": {"file": ("letter.txt", b"Hi.")}, "data": {"target_language": "pt", "tenant": "globex"}}
        problem_of(client.post("/api/v1/documents", **file), 403, "foreign_tenant")
