"""What a tenant with Kafka access of its own may do and may not, on a broker that knows who asks.

The rights are given by the commands that `dragoman topics acls` prints, run as they are.
"""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaException, Producer
from pydantic import SecretStr

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.client_config import client_config
from connectors.kafka.producer import DurableProducer
from connectors.kafka.settings import KafkaSettings
from deploy.local.kafka_broker import Broker, java_command, new_cluster_id, server_properties
from deploy.local.process_spec import is_port_free
from schemas.errors import TransientError
from schemas.records import OutboundRecord
from tests.fleet import until
from tests.ports import free_port
from tests.servers import LIBRARIES

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(300)]

# `acme-2` begins as `acme` does.
TENANTS = ("acme", "acme-2")
USERS = {name: f"{name}-secret" for name in ("admin", *TENANTS)}
MINE = {
    *(f"translation.requests.acme.{priority}" for priority in ("critical", "high", "standard")),
    "translation.control.acme",
    "translation.results.acme",
}
_ACL_COMMAND = "org.apache.kafka.tools.AclCommand"


@dataclass(frozen=True)
class SecuredBroker:
    """A broker with SASL/PLAIN and Kafka's StandardAuthorizer: who has no right may do nothing."""

    broker: Broker

    def settings(self, user: str) -> KafkaSettings:
        return KafkaSettings(
            bootstrap=f"127.0.0.1:{self.broker.port}",
            security_protocol="SASL_PLAINTEXT",
            sasl_mechanism="PLAIN",
            sasl_username=user,
            sasl_password=SecretStr(USERS[user]),
            tenants=TENANTS,
        )

    def write_files(self) -> None:
        self.broker.files.mkdir(parents=True)
        self.broker.properties_file.write_text(server_properties(self.broker) + _secured(self.broker))
        self.login_file.write_text(
            f"security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config={_login('admin')};\n"
        )

    @property
    def login_file(self) -> Path:
        return self.broker.files / "admin.properties"

    def give_rights(self) -> None:
        """Run what the command prints."""
        shown = subprocess.run(
            [sys.executable, "-m", "producers.cli.main", "topics", "acls", "--command-config", self.login_file],
            env={
                "PATH": os.environ["PATH"],
                "DRAGOMAN_KAFKA_BOOTSTRAP": self.settings("admin").bootstrap,
                "DRAGOMAN_KAFKA_TENANTS": '["acme", "acme-2"]',
            },
            capture_output=True,
            text=True,
            check=True,
        )
        commands = [shlex.split(line) for line in shown.stdout.splitlines()]
        assert {name for name, *_ in commands} == {"kafka-acls.sh"}
        for _, *arguments in commands:
            command = [*java_command(LIBRARIES, "-Xmx128m"), _ACL_COMMAND, *arguments]
            subprocess.run(command, check=True, capture_output=True)


def _login(user: str, *known: str) -> str:
    entries = [f'username="{user}"', f'password="{USERS[user]}"', *known]
    return f"org.apache.kafka.common.security.plain.PlainLoginModule required {' '.join(entries)}"


def _secured(broker: Broker) -> str:
    """Return entries that replace those before them."""
    client, controller = f"127.0.0.1:{broker.port}", f"127.0.0.1:{broker.controller_port}"
    known = [f'user_{name}="{password}"' for name, password in USERS.items()]
    entries = {
        "listeners": f"SASL_PLAINTEXT://{client},CONTROLLER://{controller}",
        "advertised.listeners": f"SASL_PLAINTEXT://{client},CONTROLLER://{controller}",
        "listener.security.protocol.map": "SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "SASL_PLAINTEXT",
        "sasl.enabled.mechanisms": "PLAIN",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "listener.name.sasl_plaintext.plain.sasl.jaas.config": f"{_login('admin', *known)};",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        # The controller's listener knows no logins, and nobody else reaches it.
        "super.users": "User:admin;User:ANONYMOUS",
    }
    return "".join(f"{key}={value}\n" for key, value in entries.items())


@pytest.fixture(scope="module")
def secured(tmp_path_factory) -> Iterator[SecuredBroker]:
    folder = tmp_path_factory.mktemp("secured")
    broker = Broker(folder / "files", LIBRARIES, folder / "data", free_port(), free_port())
    found = SecuredBroker(broker)
    found.write_files()
    broker.data.mkdir()
    subprocess.run(broker.format_command(new_cluster_id()), check=True, capture_output=True)
    with (folder / "broker.log").open("wb") as log:
        process = subprocess.Popen(broker.run_command(), stdout=log, stderr=log)
    try:
        until(lambda: not is_port_free(broker.port), "broker")
        until(lambda: _is_created(found), "topics")
        found.give_rights()
        yield found
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _is_created(found: SecuredBroker) -> bool:
    with suppress(TransientError):
        KafkaAdmin(found.settings("admin")).create_topics()
        return True
    return False


def written(secured: SecuredBroker, user: str, topic: str) -> str:
    """Let the user write a record, without asking first what there is; return why it could not, if so."""
    failed: list[Any] = []
    producer = Producer(client_config(secured.settings(user)) | {"enable.idempotence": True})
    producer.produce(topic, b"value", on_delivery=lambda error, _: failed.append(error))
    producer.flush(20)
    (error,) = failed
    return error.name() if error else ""


def consumer_of(secured: SecuredBroker, user: str, group: str) -> Consumer:
    config = {"group.id": group, "auto.offset.reset": "earliest", "isolation.level": "read_committed"}
    return Consumer(client_config(secured.settings(user)) | config)


def read(secured: SecuredBroker, user: str, topic: str, group: str = "tenant.acme.reader") -> str:
    """Let the user read as a member of the group, and commit; return why it could not, if so."""
    consumer = consumer_of(secured, user, group)
    consumer.subscribe([topic])
    try:
        for _ in range(200):
            message = consumer.poll(0.1)
            if message is None:
                continue
            if error := message.error():
                return error.name()
            consumer.commit(message=message, asynchronous=False)
            return ""
    except KafkaException as error:
        return error.args[0].name()
    finally:
        consumer.close()
    raise AssertionError(f"{user} heard nothing of {topic}")


@pytest.mark.parametrize("topic", sorted(MINE - {"translation.results.acme"}))
def test_a_tenant_writes_to_its_own_topics(secured, topic):
    assert written(secured, "acme", topic) == ""


@pytest.mark.parametrize(
    "topic",
    [
        "translation.requests.high",
        "translation.control",
        "translation.results",
        "translation.results.acme",
        "translation.translated",
        "translation.tenants",
        "translation.requests.acme-2.high",
        "translation.control.acme-2",
        "translation.results.acme-2",
    ],
)
def test_a_tenant_writes_to_no_other_topic(secured, topic):
    assert written(secured, "acme", topic) == "TOPIC_AUTHORIZATION_FAILED"


def test_a_tenant_reads_its_results_in_a_group_of_its_own(secured):
    producer = DurableProducer(secured.settings("admin"))
    producer.send([OutboundRecord("translation.results.acme", b"acme/1", b"value")])
    producer.close()
    assert read(secured, "acme", "translation.results.acme") == ""


@pytest.mark.parametrize(
    "topic",
    [
        "translation.results",
        "translation.results.acme-2",
        "translation.requests.high",
        "translation.requests.acme.high",
        "translation.translated",
        "translation.dead_letters",
        "translation.credentials",
    ],
)
def test_a_tenant_reads_nothing_else(secured, topic):
    assert read(secured, "acme", topic) == "TOPIC_AUTHORIZATION_FAILED"


@pytest.mark.parametrize("group", ["intake", "assembly", "tenant.acme-2.reader", "tenant.acme"])
def test_a_tenant_enters_no_group_but_its_own(secured, group):
    assert read(secured, "acme", "translation.results.acme", group) == "GROUP_AUTHORIZATION_FAILED"


def test_a_tenant_sees_its_own_topics_only(secured):
    consumer = consumer_of(secured, "acme", "tenant.acme.reader")
    assert set(consumer.list_topics(timeout=20).topics) == MINE
    consumer.close()


def test_the_platform_finds_all_topics_as_the_catalogue_says(secured):
    assert KafkaAdmin(secured.settings("admin")).compare_topics() == []
