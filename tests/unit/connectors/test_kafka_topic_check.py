"""What `dragoman topics check` finds, without a cluster."""

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_check import CREATE, ActualTopic, differences, wanted_settings
from schemas.topics import Topic

SETTINGS = KafkaSettings(bootstrap="kafka:9092", replication=3)
TOPIC = Topic("translation.results", "TranslationResult", "request_id", 6, 1000, "compact,delete")
ALTER = "kafka-configs.sh --bootstrap-server kafka:9092 --alter --entity-type topics --entity-name"


def found(partitions=6, **changed):
    settings = wanted_settings(TOPIC, SETTINGS) | {
        name.replace("_", "."): value for name, value in changed.items()
    }
    return ActualTopic(partitions, settings)


def test_a_topic_as_the_catalogue_wants_it_has_no_difference():
    assert differences(TOPIC, found(), SETTINGS) == []


def test_the_order_of_cleanup_policies_does_not_matter():
    assert differences(TOPIC, found(cleanup_policy="delete,compact"), SETTINGS) == []


def test_each_setting_that_differs_is_named_with_the_command_that_cures_it():
    lines = [str(one) for one in differences(TOPIC, found(retention_ms="5", min_insync_replicas="1"), SETTINGS)]
    assert lines == [
        "translation.results: retention.ms is 5, the catalogue says 1000; "
        f"cure: {ALTER} translation.results --add-config retention.ms=1000",
        "translation.results: min.insync.replicas is 1, the catalogue says 2; "
        f"cure: {ALTER} translation.results --add-config min.insync.replicas=2",
    ]


def test_a_list_is_put_in_brackets_as_kafkas_tool_wants_it():
    (difference,) = differences(TOPIC, found(cleanup_policy="delete"), SETTINGS)
    assert difference.cure.endswith("--add-config cleanup.policy=[compact,delete]")


def test_a_missing_topic_is_created():
    (difference,) = differences(TOPIC, None, SETTINGS)
    assert (difference.found, difference.wanted, difference.cure) == ("0", "6", CREATE)


def test_partitions_can_be_added_but_never_taken_away():
    (few,) = differences(TOPIC, found(partitions=3), SETTINGS)
    (many,) = differences(TOPIC, found(partitions=12), SETTINGS)
    assert few.cure.endswith("--alter --topic translation.results --partitions 6")
    assert many.cure == "set DRAGOMAN_KAFKA_PARTITIONS=12"


def test_the_size_of_a_topic_is_limited_where_the_catalogue_says_so():
    limited = Topic("t", "M", "k", 1, 1000, retention_bytes=5_000)
    assert wanted_settings(limited, SETTINGS)["retention.bytes"] == "5000"
    assert wanted_settings(TOPIC, SETTINGS)["retention.bytes"] == "-1"
