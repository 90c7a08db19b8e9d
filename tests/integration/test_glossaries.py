"""Glossaries on real Kafka: no two writers give one number, and a reader knows what was written before."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Codec
from schemas.glossaries import Glossary
from stream_apps.glossaries.changes import deleted, new_version
from stream_apps.glossaries.limits import GlossaryLimits
from stream_apps.glossaries.store import KafkaGlossaries
from stream_apps.runtime.process import now_ms

pytestmark = pytest.mark.real


@pytest.fixture
def opened(kafka_bootstrap):
    settings = KafkaSettings(bootstrap=kafka_bootstrap)
    KafkaAdmin(settings).create_topics()
    return lambda: KafkaGlossaries(settings, Codec())


def test_writers_at_the_same_time_give_each_version_a_number_of_its_own(opened):
    tenant, limits = f"t-{uuid.uuid4().hex[:8]}", GlossaryLimits()
    reader = opened()
    assert reader.read().all_of(tenant) == []

    def write(number):
        wish = Glossary(
            tenant=tenant,
            name="terms",
            version=0,
            source_language="en",
            target_language="pt",
            entries={"a": str(number)},
            created_at=now_ms(),
        )
        return opened().change(lambda found: new_version(found, wish, limits)).written[0].version

    with ThreadPoolExecutor(3) as threads:
        assert sorted(threads.map(write, range(3))) == [1, 2, 3]
    assert [one.version for one in reader.read().versions(tenant, "terms")] == [1, 2, 3]
    opened().change(lambda found: deleted(found, tenant, "terms", now_ms()))
    assert reader.read().all_of(tenant) == opened().read().all_of(tenant) == []
    assert write(4) == 4
    assert [one.exact_name for one in reader.read().all_of(tenant)] == ["terms@4"]
