"""The promises of the design, as librdkafka is told them."""

import pytest
from pydantic import SecretStr, ValidationError

from connectors.kafka.client_config import (
    client_config,
    consumer_config,
    producer_config,
    transactional_config,
)
from connectors.kafka.settings import KafkaSettings


def test_accepted_means_stored_by_all_replicas_without_duplicates():
    config = producer_config(KafkaSettings())
    assert (config["acks"], config["enable.idempotence"]) == ("all", True)


def test_keys_go_where_javas_clients_would_put_them():
    assert producer_config(KafkaSettings())["partitioner"] == "murmur2_random"


def test_a_consumer_sees_committed_records_only_and_commits_nothing_by_itself():
    config = consumer_config(KafkaSettings(), "group", "me")
    assert config["isolation.level"] == "read_committed"
    assert config["enable.auto.commit"] is False
    assert config["enable.auto.offset.store"] is False


def test_no_delivery_outlives_its_transaction():
    settings = KafkaSettings(transaction_timeout_ms=5000, delivery_timeout_ms=60000)
    assert transactional_config(settings, "id")["delivery.timeout.ms"] == 5000


def test_credentials_are_sent_only_where_asked_for_and_never_printed():
    settings = KafkaSettings(
        security_protocol="SASL_SSL", sasl_username="u", sasl_password=SecretStr("secret-word")
    )
    assert client_config(settings)["sasl.password"] == "secret-word"
    assert "secret-word" not in repr(settings)
    assert "sasl.password" not in client_config(KafkaSettings())


def test_a_misspelt_setting_is_refused_by_name(monkeypatch):
    monkeypatch.setenv("DRAGOMAN_KAFKA_BOTSTRAP", "x:1")
    with pytest.raises(ValidationError, match="DRAGOMAN_KAFKA_BOTSTRAP"):
        KafkaSettings()


def test_settings_come_from_the_environment_and_cannot_be_changed(monkeypatch):
    monkeypatch.setenv("DRAGOMAN_KAFKA_BOOTSTRAP", "broker:1")
    settings = KafkaSettings()
    assert settings.bootstrap == "broker:1"
    with pytest.raises(ValidationError):
        settings.bootstrap = "other:1"


def test_every_buffer_of_a_client_is_bounded_as_configured():
    settings = KafkaSettings(consumer_buffer_kbytes=1024, producer_buffer_kbytes=4096, fetch_bytes=3_000_000)
    consumer, producer = consumer_config(settings, "group", "me"), transactional_config(settings, "id")
    assert (consumer["queued.max.messages.kbytes"], consumer["fetch.max.bytes"]) == (1024, 3_000_000)
    assert producer["queue.buffering.max.kbytes"] == 4096


@pytest.mark.parametrize("bound", [{"fetch_bytes": 1_000_000}, {"producer_buffer_kbytes": 1000}])
def test_a_bound_below_the_largest_message_is_refused(bound):
    with pytest.raises(ValidationError, match="max_message_bytes must fit"):
        KafkaSettings(**bound)


def test_no_client_stays_away_for_more_than_a_second_from_a_broker_that_is_back():
    settings = KafkaSettings()
    for config in (consumer_config(settings, "group", "me"), transactional_config(settings, "id")):
        assert (config["reconnect.backoff.ms"], config["reconnect.backoff.max.ms"]) == (100, 1000)
