"""A tenant gets topics of its own while the platform works: its processes are replaced one after the other."""

import uuid

import pytest

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.settings import KafkaSettings
from schemas.messages import TranslationRequest, TranslationResult
from schemas.priorities import Priority
from schemas.records import OutboundRecord
from schemas.topics import RESULTS, requests_topic, results_topic
from tests.fleet import CODEC, Answers, until

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(240)]

MODULES = {"assembly": "stream_apps.assembly.main", "intake": "stream_apps.intake.main"}
PARTITIONS, ROUNDS = 6, 3
TENANT = f"own-{uuid.uuid4().hex[:8]}"


class Platform:
    """Two assemblers and two intakes, and requests whose texts need no worker."""

    def __init__(self, fleet, static: bool) -> None:
        self.fleet = fleet
        self.static = str(static).lower()
        self.sent: list[tuple[str, str]] = []

    def start(self, name: str, **environment: str) -> None:
        module = MODULES[name.split("-", maxsplit=1)[0]]
        own = {"DRAGOMAN_KAFKA_STATIC_MEMBERSHIP": self.static, "DRAGOMAN_FAUST_COMMIT_INTERVAL_SECONDS": "0.25"}
        self.fleet.start(module, name, **own, **environment)

    def replace(self, name: str) -> None:
        """Stop the process in order, and start it as one that knows the tenant."""
        self.fleet.stop(name)
        self.start(name, DRAGOMAN_KAFKA_TENANTS=f'["{TENANT}"]')
        self.fleet.wait_until_ready(name)

    def send(self, topic: str, tenant: str) -> None:
        """Send one request to each partition of the topic."""
        for partition in range(PARTITIONS):
            request = TranslationRequest(
                tenant=tenant,
                request_id=uuid.uuid4().hex,
                source_language="en",
                target_language="en",
                text="A day.",
            )
            record = OutboundRecord(topic, request.key.encode(), CODEC.encode(request), {}, partition)
            self.fleet.producer.send([record])
            self.sent.append((tenant or TENANT, request.request_id))


@pytest.mark.parametrize("static", [True, False], ids=["static members", "members that leave"])
def test_a_tenant_is_added_while_the_platform_works(fleet, static):
    platform = Platform(fleet, static)
    names = ["assembly-1", "assembly-2", "intake-1", "intake-2"]
    for name in names:
        platform.start(name)
    for name in names:
        fleet.wait_until_ready(name)
    KafkaAdmin(KafkaSettings(bootstrap=fleet.kafka.bootstrap, tenants=(TENANT,))).create_topics()
    shared = Answers(fleet.kafka, RESULTS, TranslationResult)
    copies = Answers(fleet.kafka, results_topic(TENANT), TranslationResult)
    for name in names:
        platform.send(requests_topic(Priority.HIGH), "others")
        platform.replace(name)
    for _ in range(ROUNDS):
        for priority in Priority:
            platform.send(requests_topic(priority, TENANT), "")
    platform.send(requests_topic(Priority.HIGH), TENANT)
    wanted = [request_id for _, request_id in platform.sent]
    until(lambda: set(wanted) <= shared.counts(0.3).keys(), "results")
    for answers in (shared, copies):
        answers.counts(1.0)  # long enough for an answer that must not come
    assert sorted((one.tenant, one.request_id) for one in shared.read) == sorted(platform.sent)
    own = [one for one in shared.read if one.tenant == TENANT]
    assert sorted(map(CODEC.encode, copies.read)) == sorted(map(CODEC.encode, own))
    shared.close()
    copies.close()
