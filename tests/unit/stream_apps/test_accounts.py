"""The rules of accounts: keys, passwords, tokens, roles, tiers, and what the directory makes of records."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.accounts import Credential, CredentialKind, Tenant
from schemas.codec import Codec
from schemas.errors import FatalError, PermanentError
from schemas.records import InboundRecord
from schemas.shares import MINUTE_MS, Limits, arrival
from schemas.topics import CREDENTIALS, TENANTS
from stream_apps.accounts import api_keys, passwords
from stream_apps.accounts.changes import (
    Change,
    Login,
    Rights,
    TenantChange,
    changed_tenant,
    known_credential,
    logged_out,
    new_user,
    rotated_key,
    with_password,
)
from stream_apps.accounts.directory import Directory
from stream_apps.accounts.rates import LocalRates
from stream_apps.accounts.refusals import UnauthenticatedError
from stream_apps.accounts.roles import ROLES, Scope, granted
from stream_apps.accounts.store import InMemoryAccounts, record_of
from stream_apps.accounts.tiers import Tiers
from stream_apps.accounts.tokens import Token, Tokens, read_secrets
from tests.accounts import NOW_MS, SECRET, key_of, tenants

CHANGE = Change("tests", NOW_MS)
OTHER_SECRET = "another secret, which is as long"


@pytest.fixture
def store():
    return tenants(InMemoryAccounts())


def as_record(account, offset=0):
    sent = record_of(account, Codec())
    return InboundRecord(sent.topic, 0, offset, sent.key, sent.value)


def test_a_key_has_256_random_bits_and_is_never_shown_by_accident():
    key = api_keys.new_key()
    assert api_keys.key_id_of(key.text) == key.key_id
    assert len(key.text.removeprefix(f"drg_{key.key_id}_")) == 43
    assert api_keys.is_key(key.text, key.digest)
    assert not api_keys.is_key(key.text + "x", key.digest)
    assert key.text not in repr(key)


@given(st.text(max_size=80))
def test_a_text_that_is_no_key_is_nobodys(text):
    assert api_keys.key_id_of(text) is None
    with pytest.raises(UnauthenticatedError):
        Directory().holder_of_key(text, NOW_MS)


def test_a_password_is_kept_as_argon2id():
    kept = passwords.hashed("correct horse battery")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert passwords.is_password("correct horse battery", kept)
    assert not passwords.is_password("correct horse batterz", kept)
    assert not passwords.is_password("correct horse battery", None)


@pytest.mark.parametrize("password", ["short", "x" * 201])
def test_a_password_too_short_or_too_long_is_refused_with_its_limit(password):
    with pytest.raises(PermanentError) as refused:
        passwords.hashed(password)
    assert refused.value.limit == "10 to 200 characters"


def test_a_password_that_is_no_unicode_is_refused_and_is_nobodys():
    with pytest.raises(PermanentError):
        passwords.hashed("correct \ud800 horse")
    assert not passwords.is_password("correct \ud800 horse", None)


class TestTokens:
    """JWT."""

    TOKEN = Token("ada", "acme", NOW_MS)

    def test_a_token_says_who_logged_in_until_it_expires(self):
        tokens = Tokens([SECRET], lifetime_seconds=60)
        text = tokens.issue(self.TOKEN, ["translations:read"])
        assert tokens.read(text, NOW_MS) == self.TOKEN
        assert tokens.read(text, NOW_MS + 89_000) == self.TOKEN  # clocks differ by up to 30 s
        with pytest.raises(UnauthenticatedError, match="expired"):
            tokens.read(text, NOW_MS + 91_000)

    def test_a_secret_is_replaced_without_ending_sessions(self):
        old, both = Tokens([SECRET], 60), Tokens([OTHER_SECRET, SECRET], 60)
        assert both.read(old.issue(self.TOKEN, []), NOW_MS) == self.TOKEN
        with pytest.raises(UnauthenticatedError):
            old.read(both.issue(self.TOKEN, []), NOW_MS)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "a.b.c",
            "é.é.é",
            # {"alg":"none"} . {"sub":"ada"} .
            "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.",
        ],
    )
    def test_what_nobody_signed_is_refused(self, text):
        with pytest.raises(UnauthenticatedError):
            Tokens([SECRET], 60).read(text, NOW_MS)

    @pytest.mark.parametrize("known", [[], ["short"], [SECRET, "short"]])
    def test_a_weak_secret_ends_the_process(self, known):
        with pytest.raises(FatalError, match="32 characters"):
            Tokens(known, 60)

    def test_a_file_that_is_not_there_ends_the_process(self, tmp_path):
        with pytest.raises(FatalError, match="cannot be read"):
            read_secrets(tmp_path / "none")


def test_each_role_may_do_what_the_one_before_may_and_scopes_narrow_it():
    viewer, member, admin, operator = (granted(role, ()) for role in ROLES)
    assert viewer < member < admin < operator == frozenset(Scope)
    assert granted("admin", ["usage:read", "tenants:admin"]) == {Scope.READ_USAGE}
    assert granted("king", ()) == frozenset()


def test_a_tenants_own_numbers_replace_those_of_its_tier():
    tiers = Tiers()
    assert [
        tiers.of(Tenant(tenant="a", tier=tier)).requests_per_minute for tier in ("free", "premium", "enterprise")
    ] == [
        10,
        100,
        1000,
    ]
    assert tiers.of(Tenant(tenant="a", tier="unlimited")) == Limits()
    own = tiers.of(Tenant(tenant="a", tier="premium", limits={"requests_per_minute": 7, "of_tomorrow": 1}))
    assert (own.requests_per_minute, own.requests_in_flight) == (7, tiers.premium.requests_in_flight)
    assert tiers.of(Tenant(tenant="a", tier="of tomorrow")) == tiers.of(Tenant(tenant="a"))


class TestDirectory:
    """What the topics tell."""

    def test_the_newest_record_of_a_key_counts_and_a_tombstone_deletes_it(self):
        found, key = Directory(), api_keys.new_key()
        credential = Credential(
            credential_id=key.key_id, tenant="acme", kind=CredentialKind.API_KEY, secret_hash=key.digest
        )
        for account in (Tenant(tenant="acme", tier="free"), Tenant(tenant="acme", tier="premium"), credential):
            found.add(as_record(account))
        assert found.holder_of_key(key.text, NOW_MS).tenant.tier == "premium"
        found.add(InboundRecord(CREDENTIALS, 0, 9, key.key_id.encode(), None))
        with pytest.raises(UnauthenticatedError):
            found.holder_of_key(key.text, NOW_MS)

    @pytest.mark.parametrize("value", [b"", b"rubbish", b"\xc3\x01" + b"\0" * 20])
    @pytest.mark.parametrize("topic", [TENANTS, CREDENTIALS])
    def test_a_record_that_cannot_be_read_changes_nothing(self, store, topic, value):
        key = key_of(store)
        store.directory.add(InboundRecord(topic, 0, 0, b"default", value))
        assert store.directory.holder_of_key(key.text, NOW_MS).tenant.tenant == "default"

    def test_a_password_of_an_address_that_changed_hands_is_the_newest_ones(self):
        found = Directory()
        user = Credential(credential_id="old", tenant="acme", kind="password", login="a@b")
        for credential_id in ("old", "new"):
            found.put(replace(user, credential_id=credential_id))
        assert (found.user("A@b") or user).credential_id == "new"
        found.add(InboundRecord(CREDENTIALS, 0, 0, b"old", None))
        assert (found.user("a@b") or user).credential_id == "new"

    def test_a_key_is_no_password_and_a_password_no_key(self, store):
        key = key_of(store)
        with pytest.raises(PermanentError, match="no user"):
            known_credential(store.directory, key.key_id, CredentialKind.PASSWORD)


class TestChanges:
    """What may be changed."""

    def test_an_address_is_taken_once_on_the_whole_platform(self, store):
        def add(tenant, email):
            login = Login(tenant=tenant, email=email, secret_hash="h")
            store.change(lambda found: [new_user(found, login, Rights(), CHANGE)])

        add("acme", "ada@example.org")
        with pytest.raises(PermanentError) as refused:
            add("globex", "ADA@example.org ")
        assert refused.value.cause == "user_exists"

    @pytest.mark.parametrize("email", ["", "ada", "a@b@c", "a b@c", "x" * 65 + "@c", "a@\n"])
    def test_what_is_no_address_is_refused(self, store, email):
        with pytest.raises(PermanentError, match="no e-mail"):
            new_user(store.directory, Login(tenant="acme", email=email, secret_hash="h"), Rights(), CHANGE)

    def test_a_rotated_key_lives_on_for_the_overlap_and_never_longer_than_before(self, store):
        key = key_of(store, expires_at=NOW_MS + 1000)
        old = known_credential(store.directory, key.key_id, CredentialKind.API_KEY)
        new, ending = rotated_key(old, api_keys.new_key(), 5000, CHANGE)
        assert (ending.expires_at, new.expires_at) == (NOW_MS + 1000, NOW_MS + 1000)
        (_, ending) = rotated_key(old, api_keys.new_key(), 500, CHANGE)
        assert ending.expires_at == NOW_MS + 500

    @pytest.mark.parametrize(
        "changed", [lambda user: logged_out(user, CHANGE), lambda user: with_password(user, "h", CHANGE)]
    )
    def test_a_logout_and_a_new_password_end_all_sessions(self, store, changed):
        early = Change("tests", NOW_MS - 10)
        login = Login(tenant="acme", email="ada@example.org", secret_hash="h")
        (user,) = store.change(lambda found: [new_user(found, login, Rights(), early)])
        token = Token(user.credential_id, "acme", NOW_MS - 5)
        assert store.directory.holder_of_token(token, NOW_MS)
        store.change(lambda found: [changed(user)])
        with pytest.raises(UnauthenticatedError, match="ended"):
            store.directory.holder_of_token(token, NOW_MS)

    @pytest.mark.parametrize(
        "wish", [{"tier": "gold"}, {"limits": {"speed": 1}}, {"limits": {"reads_per_minute": -1}}]
    )
    def test_a_tier_or_a_limit_that_does_not_exist_is_refused(self, store, wish):
        with pytest.raises(PermanentError) as refused:
            changed_tenant(store.directory, "acme", TenantChange(**wish), CHANGE)
        assert refused.value.limit


@given(st.lists(st.integers(0, 30_000), max_size=60), st.sampled_from([1, 3, 7, 10, 100]))
def test_no_minute_has_more_than_twice_its_calls_and_whoever_waits_as_told_may_pass(pauses_ms, per_minute):
    now, tat, passed = 0.0, 0.0, []
    for pause in pauses_ms:
        now += pause
        tat, decision = arrival(tat, per_minute, now)
        if decision.is_allowed:
            passed.append(now)
        else:
            _, later = arrival(tat, per_minute, now + decision.retry_after_ms)
            assert later.is_allowed
        within = [at for at in passed if at > now - MINUTE_MS]
        assert len(within) <= 2 * per_minute


def test_callers_that_have_all_their_calls_again_are_forgotten():
    rates = LocalRates(most_callers=4)
    for number in range(5):
        rates.take(f"early {number}", 10, now_ms=0)
    rates.take("late", 1, now_ms=0)
    for number in range(5):
        rates.take(f"later {number}", 10, now_ms=7_000)
    assert not rates.take("late", 1, now_ms=7_000).is_allowed
    assert rates.take("early 0", 10, now_ms=7_000).remaining == 9
