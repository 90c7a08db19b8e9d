"""The broker's configuration and what it needs before it runs."""

import re
from pathlib import Path

import pytest

from deploy.local.kafka_broker import Broker, has_jars, is_formatted, new_cluster_id, server_properties

BROKER = Broker(Path("/root/kafka"), Path("/root/kafka/libs"), Path("/root/data/kafka"), 29_092, 29_093, 256)


def properties() -> dict[str, str]:
    return dict(line.split("=", 1) for line in server_properties(BROKER).splitlines())


def test_the_broker_listens_on_loopback_only() -> None:
    assert properties()["listeners"] == "PLAINTEXT://127.0.0.1:29092,CONTROLLER://127.0.0.1:29093"
    assert properties()["advertised.listeners"] == properties()["listeners"]


def test_a_typing_error_does_not_become_a_topic() -> None:
    assert properties()["auto.create.topics.enable"] == "false"


def test_every_replicated_topic_of_the_broker_itself_fits_one_node() -> None:
    replicated = {key: value for key, value in properties().items() if re.search(r"replication\.factor|isr$", key)}

    assert len(replicated) == 5
    assert set(replicated.values()) == {"1"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("group.initial.rebalance.delay.ms", "0"),
        ("offsets.topic.num.partitions", "1"),
        ("offsets.topic.segment.bytes", "1048576"),
        ("transaction.state.log.num.partitions", "1"),
        ("message.max.bytes", "2097152"),
        ("log.dirs", "/root/data/kafka"),
    ],
)
def test_the_broker_is_small_and_quick(key: str, value: str) -> None:
    assert properties()[key] == value


def test_the_heap_is_what_was_asked_for() -> None:
    assert "-Xmx256m" in BROKER.run_command()


def test_the_broker_takes_its_classes_from_beside_its_jars() -> None:
    assert "-XX:SharedArchiveFile=/root/kafka/libs/classes.jsa" in BROKER.run_command()
    assert "-XX:ArchiveClassesAtExit=/tmp/a" in BROKER.archiving_command(Path("/tmp/a"))


def test_the_broker_reads_the_configuration_that_is_written() -> None:
    assert BROKER.run_command()[-2:] == ("kafka.Kafka", "/root/kafka/server.properties")


def test_a_cluster_id_is_one_that_kafka_takes() -> None:
    ids = {new_cluster_id() for _ in range(500)}

    assert len(ids) == 500
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{21}", one) for one in ids)


@pytest.mark.parametrize("stamp", [None, "of another pom.xml"])
def test_jars_that_are_not_complete_or_not_ours_are_fetched(tmp_path: Path, stamp: str | None) -> None:
    (tmp_path / "kafka.jar").touch()
    if stamp:
        (tmp_path / "complete").write_text(stamp)

    assert not has_jars(tmp_path)


def test_a_folder_is_formatted_when_kafka_wrote_its_last_file(tmp_path: Path) -> None:
    (tmp_path / "bootstrap.checkpoint").touch()
    assert not is_formatted(tmp_path)

    (tmp_path / "meta.properties").touch()
    assert is_formatted(tmp_path)
