"""Members of consumer groups on a real broker."""

import uuid

import pytest

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.group_reader import GroupReader
from connectors.kafka.settings import KafkaSettings
from schemas.topics import CONTROL
from tests.group_traffic import NAME


@pytest.fixture
def settings(kafka_bootstrap):
    settings = KafkaSettings(bootstrap=kafka_bootstrap, session_timeout_ms=6000)
    KafkaAdmin(settings).create_topics()
    return settings


@pytest.fixture
def key():
    return str(uuid.uuid4()).encode()


@pytest.fixture
def joined():
    """Open members of a group; close those that a failed test left open, which would delay the end."""
    readers = []

    def join(settings, group=None, topics=(CONTROL,)):
        readers.append(GroupReader(settings, group or str(uuid.uuid4()), topics, NAME))
        readers[-1].subscribe()
        return readers[-1]

    yield join
    for reader in readers:
        reader.close()
