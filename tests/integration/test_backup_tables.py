"""Accounts and glossaries on real Kafka are saved and brought back, and what is newer stays."""

import uuid

import pytest

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.producer import DurableProducer
from connectors.kafka.settings import KafkaSettings
from deploy.backup import tables as backup_tables
from deploy.backup.job import create, restore, verify
from deploy.backup.tables import TablesPart
from schemas.accounts import Tenant
from schemas.codec import Codec
from schemas.glossaries import Glossary
from schemas.records import OutboundRecord
from schemas.topics import TENANTS
from stream_apps.accounts.store import KafkaAccounts, record_of
from stream_apps.glossaries.changes import Writing
from stream_apps.glossaries.store import KafkaGlossaries, records_of

pytestmark = pytest.mark.real

CODEC = Codec()


def quiet(part, done, total):
    """No progress bar."""


class Tables:
    """What Kafka holds of one tenant, and a backup of it."""

    def __init__(self, settings, folder):
        self.settings = settings
        self.name = f"t-{uuid.uuid4().hex[:8]}"
        self.location = str(folder / "backup")
        self.terms = Glossary(
            tenant=self.name, name="terms", version=1, source_language="en", target_language="pt",
            entries={"house": "casa"}, created_at=1,
        )  # fmt: skip

    def write(self, *records):
        producer = DurableProducer(self.settings)
        producer.send(records)
        producer.close()

    def write_both(self):
        self.write(self.tenant_record("free"), *records_of(Writing(written=[self.terms]), CODEC))

    def tenant_record(self, tier):
        return record_of(Tenant(tenant=self.name, tier=tier), CODEC)

    def delete(self):
        self.write(
            OutboundRecord(TENANTS, self.tenant_record("free").key, None),
            *records_of(Writing(ended=[self.terms]), CODEC),
        )

    def save(self):
        create(self.location, [TablesPart(self.settings)], quiet)
        return verify(self.location, quiet)

    def restore(self, *, replace=False):
        return restore(self.location, [TablesPart(self.settings)], replace, quiet)["tables"]

    @property
    def tier(self):
        found = KafkaAccounts(self.settings, CODEC).read().tenant(self.name)
        return found and found.tier

    @property
    def glossaries(self):
        found = KafkaGlossaries(self.settings, CODEC).read().all_of(self.name)
        return [(one.exact_name, dict(one.entries)) for one in found]


@pytest.fixture
def tables(kafka_bootstrap, tmp_path, monkeypatch):
    """Other tests share this Kafka: what is theirs must not be saved, or a restore would undo what they do."""
    settings = KafkaSettings(bootstrap=kafka_bootstrap)
    KafkaAdmin(settings).create_topics()
    found, all_rows = Tables(settings, tmp_path), backup_tables._Content.rows
    mine = found.name.encode()
    monkeypatch.setattr(
        backup_tables._Content, "rows", lambda content: [row for row in all_rows(content) if mine in row.key]
    )
    return found


def test_what_is_newer_than_the_backup_stays(tables):
    tables.write_both()
    assert tables.save().parts["tables"] == {"accounts": 1, "glossaries": 1}
    tables.write(tables.tenant_record("premium"))
    assert tables.restore() == {"written": 0, "kept": 2}
    assert tables.tier == "premium"
    assert tables.restore(replace=True) == {"written": 1, "kept": 1}
    assert tables.tier == "free"


def test_what_was_deleted_stays_deleted_unless_all_is_replaced(tables):
    tables.write_both()
    tables.save()
    tables.delete()
    assert tables.restore() == {"written": 0, "kept": 2}
    assert (tables.tier, tables.glossaries) == (None, [])
    assert tables.restore(replace=True) == {"written": 2, "kept": 0}
    assert (tables.tier, tables.glossaries) == ("free", [("terms@1", {"house": "casa"})])


def test_what_kafka_has_lost_comes_back_with_its_headers(tables, monkeypatch):
    records = [tables.tenant_record("premium"), *records_of(Writing(written=[tables.terms]), CODEC)]
    rows = [backup_tables._Row(one.topic, one.key or b"", one.value or b"", one.headers) for one in records]
    monkeypatch.setattr(
        backup_tables._Content, "rows", lambda content: [row for row in rows if row.topic in content.topics]
    )
    tables.save()
    assert tables.restore() == {"written": 2, "kept": 0}
    assert (tables.tier, tables.glossaries) == ("premium", [("terms@1", {"house": "casa"})])
    assert tables.restore(replace=True) == {"written": 0, "kept": 2}
