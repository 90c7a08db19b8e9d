"""`dragoman tenants`, `users`, `keys`: what they change, print and refuse, on accounts in memory."""

import json

import pytest
from typer.testing import CliRunner

from producers.cli import accounts, keys, tenants, users
from producers.cli.main import app
from schemas.accounts import CredentialKind
from stream_apps.accounts.passwords import is_password
from stream_apps.accounts.store import InMemoryAccounts
from stream_apps.runtime.process import now_ms

PASSWORD = "correct horse battery"
DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def store(monkeypatch):
    store = InMemoryAccounts()
    for module in (accounts, keys, tenants, users):
        monkeypatch.setattr(module, "account_store", lambda: store)
    return store


def dragoman(*arguments, **rest):
    return CliRunner().invoke(app, [*arguments], **rest)


@pytest.fixture
def acme(store):
    ran = dragoman("tenants", "create", "acme", "--tier", "premium", "--limit", "requests_per_minute=7")
    assert (ran.exit_code, ran.stdout) == (0, "")
    return store.directory


def test_a_tenant_is_made_listed_changed_suspended_and_resumed(acme):
    assert (
        dragoman("tenants", "change", "acme", "--tier", "free", "--limit", "characters_per_day=5").exit_code == 0
    )
    assert (acme.tenant("acme").tier, acme.tenant("acme").limits) == (
        "free",
        {"requests_per_minute": 7, "characters_per_day": 5},
    )
    assert dragoman("tenants", "suspend", "acme").exit_code == 0
    line = dragoman("tenants", "list").stdout.splitlines()[1]
    assert line.split()[:4] == ["acme", "-", "free", "suspended"]
    assert "requests_per_minute=7" in line
    dragoman("tenants", "resume", "acme")
    (listed,) = json.loads(dragoman("tenants", "list", "--json").stdout)
    assert listed["status"] == "ACTIVE"
    assert listed["changed_by"].startswith("cli:")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("create", "acme"), "there is a tenant acme already; choose another name"),
        (("create", "Acme"), "tenant"),
        (
            ("create", "b", "--tier", "gold"),
            "no tier is called 'gold' (limit: free, premium, enterprise, unlimited)",
        ),
        (("change", "acme", "--limit", "speed=1"), "the limit speed=1 means nothing"),
        (("change", "acme", "--limit", "speed"), "write it as requests_per_minute=50"),
        (("change", "acme"), "nothing would change; give --tier, --limit or --retention-days"),
        (("suspend", "nobody"), "make it first: dragoman tenants create NAME"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_next_step(acme, arguments, says):
    ran = dragoman("tenants", *arguments)
    assert ran.exit_code in (1, 2)
    assert says in ran.stderr


def test_a_key_is_printed_once_and_found_by_its_id(acme):
    ran = dragoman("keys", "create", "--tenant", "acme", "--scope", "translations:read", "--expires", "90d")
    key = ran.stdout.strip()
    holder = acme.holder_of_key(key, now_ms())
    assert holder.scopes == {"translations:read"}
    assert 89 * DAY_MS < holder.credential.expires_at - now_ms() <= 90 * DAY_MS
    listed = dragoman("keys", "list", "--tenant", "acme").stdout
    assert holder.credential.credential_id in listed
    assert key not in listed
    assert holder.credential.secret_hash not in dragoman("keys", "list", "--json").stdout


def test_a_key_is_changed_rotated_and_revoked(acme):
    made = json.loads(dragoman("keys", "create", "--tenant", "acme", "--role", "admin", "--json").stdout)
    assert dragoman("keys", "change", made["key_id"], "--scope", "keys:admin").exit_code == 0
    assert acme.holder_of_key(made["api_key"], now_ms()).scopes == {"keys:admin"}
    rotated = json.loads(dragoman("keys", "rotate", made["key_id"], "--overlap", "1h", "--json").stdout)
    assert acme.holder_of_key(rotated["api_key"], now_ms()).scopes == {"keys:admin"}
    old = acme.credential(made["key_id"])
    assert 0 < old.expires_at - now_ms() <= 3_600_000
    assert dragoman("keys", "revoke", rotated["key_id"]).exit_code == 0
    states = {line.split()[0]: line for line in dragoman("keys", "list").stdout.splitlines()[1:]}
    assert "revoked" in states[rotated["key_id"]]
    assert "alive until" in states[made["key_id"]]
    assert "make a new one" in dragoman("keys", "rotate", rotated["key_id"]).stderr


def test_a_user_is_made_with_a_password_from_standard_input_and_never_from_the_command_line(acme):
    arguments = ("users", "create", "Ada@acme.example", "--tenant", "acme", "--role", "admin")
    assert "--password-stdin" in dragoman(*arguments).stderr
    assert dragoman(*arguments, "--password-stdin", input=f"{PASSWORD}\n").exit_code == 0
    user = acme.user("ada@acme.example")
    assert is_password(PASSWORD, user.secret_hash)
    assert (user.role, user.tenant) == ("admin", "acme")
    assert "--password" not in dragoman("users", "create", "--help").stdout.replace("--password-stdin", "")

    assert dragoman("users", "role", "ada@acme.example", "viewer").exit_code == 0
    assert dragoman("users", "disable", "ada@acme.example").exit_code == 0
    line = dragoman("users", "list", "--tenant", "acme").stdout.splitlines()[1]
    assert line.split()[:4] == ["ada@acme.example", "acme", "viewer", "revoked"]

    ran = dragoman("users", "password", "ada@acme.example", "--password-stdin", input="another long one\n")
    assert ran.exit_code == 0
    again = acme.user("ada@acme.example")
    assert (again.revoked_at, again.tokens_valid_from >= user.tokens_valid_from) == (0, True)
    assert again.secret_hash not in dragoman("users", "list", "--json").stdout


@pytest.mark.parametrize(
    ("email", "password", "says"),
    [("ada", PASSWORD, "no e-mail address"), ("ada@acme.example", "short", "10 to 200 characters")],
)
def test_a_login_that_cannot_be_is_refused(acme, email, password, says):
    ran = dragoman("users", "create", email, "--tenant", "acme", "--password-stdin", input=f"{password}\n")
    assert ran.exit_code == 1
    assert says in ran.stderr
    assert not acme.credentials(CredentialKind.PASSWORD)


def test_a_length_of_time_that_is_none_is_refused(acme):
    assert "write 90s, 30m" in dragoman("keys", "rotate", "x", "--overlap", "soon").stderr
