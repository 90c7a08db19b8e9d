"""Accounts on real Kafka: one writer at a time, and an HTTP process that hears of each change within a second."""

import json
import os
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import redis

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transactional_producer import TransactionalProducer
from deploy.local.first_key import credentials_path, keep_first_key, read_key
from schemas.accounts import CredentialKind, Tenant
from schemas.codec import Codec
from schemas.errors import DragomanError, PermanentError
from stream_apps.accounts.api_keys import new_key as make_key
from stream_apps.accounts.changes import (
    Change,
    Login,
    Rights,
    known_credential,
    new_key,
    new_tenant,
    new_user,
    revoked,
)
from stream_apps.accounts.passwords import hashed
from stream_apps.accounts.store import KafkaAccounts, record_of
from stream_apps.runtime.process import now_ms
from tests.accounts import SECRET, bearer
from tests.ports import free_port

CHECKOUT = Path(__file__).parents[2]
URL = "/api/v1/translations"
BODY = {"text": "Good morning.", "source_language": "en", "target_language": "pt"}
PASSWORD = "correct horse battery"
# Milliseconds on a quiet machine; a busy one is no failure.
SOON_SECONDS = 5

pytestmark = pytest.mark.real

# Stands still between its records and their commit.
KILLED_WRITER = """
import sys, time
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transactional_producer import TransactionalProducer
from schemas.accounts import Credential
from schemas.codec import Codec
from stream_apps.accounts.store import record_of

bootstrap, tenant, email = sys.argv[1:]
user = Credential(credential_id="killed", tenant=tenant, kind="password", login=email, secret_hash="of the killed")

def stand_still():
    print("stored, not committed", flush=True)
    time.sleep(60)

producer = TransactionalProducer(KafkaSettings(bootstrap=bootstrap), "accounts")
producer.commit([record_of(user, Codec())], [], confirm=stand_still)
"""


@pytest.fixture
def store(kafka_bootstrap):
    settings = KafkaSettings(bootstrap=kafka_bootstrap)
    KafkaAdmin(settings).create_topics()
    return KafkaAccounts(settings, Codec())


@pytest.fixture
def tenant(store):
    """A tenant that no other test has."""
    name = f"t-{uuid.uuid4().hex[:8]}"
    store.change(lambda found: [new_tenant(found, Tenant(tenant=name, tier="enterprise"), now())])
    return name


def now() -> Change:
    return Change("tests", now_ms())


def key_in(store, tenant, **rights):
    key = make_key()
    store.change(lambda found: [new_key(found, tenant, key, Rights(**rights), now())])
    return key


def until(is_true, seconds=10.0):
    """Return how long it took."""
    began = time.monotonic()
    while not is_true():
        assert time.monotonic() < began + seconds, "not in time"
        time.sleep(0.01)
    return time.monotonic() - began


class TestStore:
    """The topics are the truth."""

    def test_what_is_written_is_read_and_a_refused_change_writes_nothing(self, store, tenant):
        assert store.read().tenant(tenant).tier == "enterprise"
        with pytest.raises(PermanentError, match="there is a tenant"):
            store.change(lambda found: [new_tenant(found, Tenant(tenant=tenant), now())])
        assert store.read().tenant(tenant).tier == "enterprise"

    def test_of_many_who_want_one_address_at_the_same_time_one_gets_it(self, store, tenant):
        email = f"{uuid.uuid4().hex}@example.org"

        def take(number: int) -> bool:
            login = Login(tenant=tenant, email=email, secret_hash=f"of {number}")
            try:
                store.change(lambda found: [new_user(found, login, Rights(), now())])
            except DragomanError:
                return False
            return True

        with ThreadPoolExecutor(4) as threads:
            taken = list(threads.map(take, range(4)))
        assert sum(taken) == 1
        assert store.read().user(email).secret_hash == f"of {taken.index(True)}"

    def test_a_writer_that_was_overtaken_writes_nothing(self, store, tenant):
        slow = TransactionalProducer(store.kafka, "accounts")
        login = Login(tenant=tenant, email=f"{uuid.uuid4().hex}@example.org", secret_hash="of the slow")
        user = new_user(store.read(), login, Rights(), now())
        store.change(lambda found: [new_user(found, login, Rights(name="the quick"), now())])
        with pytest.raises(DragomanError):
            slow.commit([record_of(user, store.codec)], [])
        assert store.read().user(login.email).name == "the quick"

    def test_a_writer_that_was_killed_has_written_nothing_and_holds_up_nobody(self, store, tenant):
        email = f"{uuid.uuid4().hex}@example.org"
        command = [sys.executable, "-c", KILLED_WRITER, store.kafka.bootstrap, tenant, email]
        with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE) as writer:
            assert writer.stdout
            assert writer.stdout.readline() == b"stored, not committed\n"
            writer.kill()
        login = Login(tenant=tenant, email=email, secret_hash="of the next")
        began = time.monotonic()
        store.change(lambda found: [new_user(found, login, Rights(), now())])
        # Sooner than Kafka ends the transaction by itself.
        assert time.monotonic() - began < store.kafka.transaction_timeout_ms / 1000 / 2
        assert store.read().user(email).secret_hash == "of the next"


class TestFirstKey:
    """What `dragoman up` does at every start."""

    def test_the_tenant_and_an_operators_key_are_made_once_and_the_file_is_its_owners_alone(self, store, tmp_path):
        file = credentials_path(tmp_path)
        keep_first_key(store, file, now_ms())
        key = read_key(tmp_path)
        assert file.stat().st_mode & 0o777 == 0o600
        assert store.read().holder_of_key(key, now_ms()).credential.role == "operator"
        keep_first_key(store, file, now_ms())
        assert read_key(tmp_path) == key

    def test_a_key_that_was_revoked_is_replaced_and_one_that_kafka_lost_is_registered_again(self, store, tmp_path):
        file = credentials_path(tmp_path)
        keep_first_key(store, file, now_ms())
        old = json.loads(file.read_text())["api_key"].split("_")[1]
        store.change(lambda found: [revoked(known_credential(found, old, CredentialKind.API_KEY), now())])
        keep_first_key(store, file, now_ms())
        assert store.read().holder_of_key(read_key(tmp_path), now_ms())

        foreign = make_key()
        file.write_text(json.dumps({"api_key": foreign.text}))
        keep_first_key(store, file, now_ms())
        assert read_key(tmp_path) == foreign.text
        assert store.read().holder_of_key(foreign.text, now_ms())


class TestHttp:
    """A process of ours."""

    @pytest.fixture
    def http(self, store, kafka_bootstrap, redis_state_url, tmp_path):
        port, secrets = free_port(), tmp_path / "secrets"
        secrets.write_text(SECRET)
        told = {
            "DRAGOMAN_KAFKA_BOOTSTRAP": kafka_bootstrap,
            "DRAGOMAN_REDIS_STATE_URL": redis_state_url,
            "DRAGOMAN_HTTP_PORT": str(port),
            "DRAGOMAN_HTTP_WATCH_SECONDS": "0.1",
            "DRAGOMAN_HTTP_TOKEN_SECRETS_FILE": str(secrets),
            "DRAGOMAN_BACKPRESSURE_LEAST_RECORDS_PER_SECOND": "1000000",
        }
        command = [sys.executable, "-m", "producers.http.main"]
        process = subprocess.Popen(command, cwd=CHECKOUT, env=os.environ | told)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
                until(lambda: _is_ready(client), 20)
                yield client
        finally:
            process.terminate()
            assert process.wait(timeout=15) == 0

    def test_a_process_hears_of_keys_within_a_second_keeps_them_without_redis_and_lets_users_log_in(
        self, http, store, tenant, redis_state_url
    ):
        def status(key, path="/api/v1/account"):
            return http.get(path, headers=bearer(key.text)).status_code

        # One that was there before the process, and one that came after it.
        admin, member = key_in(store, tenant, role="admin"), key_in(store, tenant)
        assert until(lambda: (status(admin), status(member)) == (200, 200)) < SOON_SECONDS
        job_id = http.post(URL, json=BODY, headers=bearer(member.text)).raise_for_status().json()["job_id"]
        foreign = key_in(store, "default") if store.read().tenant("default") else None
        if foreign:
            assert until(lambda: status(foreign) == 200) < SOON_SECONDS
            assert status(foreign, f"{URL}/{job_id}") == 404

        with redis.Redis.from_url(redis_state_url) as state:
            state.flushall()
        assert (status(admin), status(member)) == (200, 200)
        assert http.post(URL, json=BODY, headers=bearer(member.text)).status_code == 202

        kept = known_credential(store.read(), member.key_id, CredentialKind.API_KEY)
        store.change(lambda found: [revoked(kept, now())])
        assert until(lambda: status(member) == 401) < SOON_SECONDS
        assert status(admin) == 200

        made = (
            http.post("/api/v1/keys", json={"name": "shop"}, headers=bearer(admin.text)).raise_for_status().json()
        )
        assert http.get("/api/v1/account", headers=bearer(made["api_key"])).is_success

        email = f"{uuid.uuid4().hex}@example.org"
        login = Login(tenant=tenant, email=email, secret_hash=hashed(PASSWORD))
        store.change(lambda found: [new_user(found, login, Rights(), now())])
        shown = {"email": email, "password": PASSWORD}
        until(lambda: http.post("/auth/login", json=shown).is_success)
        token = http.post("/auth/login", json=shown).json()["access_token"]
        assert http.get("/api/v1/account", headers=bearer(token)).json()["tenant"] == tenant
        assert http.post("/auth/logout", headers=bearer(token)).status_code == 204
        assert http.get("/api/v1/account", headers=bearer(token)).status_code == 401


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/ready").is_success
    except httpx.TransportError:
        return False
