"""Clients of the admin that Kafka will never answer again."""

import pytest

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.settings import KafkaSettings
from schemas.errors import TransientError


@pytest.fixture
def admin():
    return KafkaAdmin(KafkaSettings(bootstrap="127.0.0.1:1"), timeout_seconds=0.05)


def ask_in_vain(admin, times):
    for _ in range(times):
        with pytest.raises(TransientError):
            admin.partitions()


@pytest.mark.parametrize(("others_are_answered", "times"), [(True, 2), (False, 5)])
def test_while_kafka_may_be_away_the_client_stays(admin, monkeypatch, others_are_answered, times):
    monkeypatch.setattr("connectors.kafka.admin.is_reachable", lambda _client: False)
    monkeypatch.setattr("connectors.kafka.lost_connection.is_reachable", lambda _client: others_are_answered)
    client = admin._client
    ask_in_vain(admin, times)
    assert admin._client is client


def test_when_only_new_clients_are_answered_it_is_replaced(admin, monkeypatch):
    monkeypatch.setattr("connectors.kafka.admin.is_reachable", lambda _client: False)
    monkeypatch.setattr("connectors.kafka.lost_connection.is_reachable", lambda _client: True)
    client, committed = admin._client, admin._committed
    ask_in_vain(admin, 3)
    assert admin._client is not client
    assert admin._committed is not committed
