"""The corrections hang on private attributes of pinned versions; these tests notice when one moves."""

import asyncio

import aiokafka.codec
import pytest
from faust.types import TP, Message

from connectors.faust.app import build_app
from connectors.faust.settings import FaustSettings
from connectors.faust.transport import DurableTransport, FinishedConsumer, HeldLimits, ReadCommittedThread
from connectors.kafka.client_config import METADATA_REFRESH_MS
from connectors.kafka.settings import KafkaSettings

PLACE = TP("translation.requests.high", 0)


@pytest.fixture
def loop():
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield loop
    asyncio.set_event_loop(None)
    loop.close()


@pytest.fixture
def app(loop, monkeypatch):
    monkeypatch.setenv("BROKER_URL", "kafka://somewhere-else")
    kafka = KafkaSettings(bootstrap="one:1,two:2", session_timeout_ms=6000, linger_ms=7)
    app = build_app("intake", "intake-0", kafka, FaustSettings())
    app.loop = loop
    return app


@pytest.fixture
def consumer(app):
    app.consumer_generation_id = 4
    consumer = app.consumer
    assert isinstance(consumer, FinishedConsumer)
    yield consumer
    consumer._thread.thread_loop.close()


def message(offset, generation=4):
    return Message(
        PLACE.topic, PLACE.partition, offset, 0.0, 0, {}, b"k", b"v", None, tp=PLACE, generation_id=generation
    )


def test_every_setting_that_can_lose_records_is_set(app):
    conf = app.conf
    assert [str(url) for url in conf.broker] == ["kafka://one:1", "kafka://two:2"]
    assert (conf.topic_allow_declare, conf.topic_disable_leader, conf.table_standby_replicas) == (False, True, 0)
    assert (conf.stream_wait_empty, conf.web_enabled) == (True, False)
    assert (conf.broker_session_timeout, conf.broker_rebalance_timeout, conf.broker_commit_interval) == (6, 30, 1)
    assert conf.consumer_group_instance_id is None
    assert conf.consumer_metadata_max_age_ms == METADATA_REFRESH_MS == 5000
    assert str(conf.processing_guarantee.value) == "at_least_once"


def test_a_process_whose_name_outlives_it_keeps_its_place_in_the_group():
    app = build_app("intake", "intake-0", KafkaSettings(static_membership=True), FaustSettings())
    assert app.conf.consumer_group_instance_id == "intake-0"


def test_the_transport_is_the_corrected_one(app):
    assert isinstance(app.transport, DurableTransport)


def test_the_consumer_reads_committed_records_only(app, consumer, loop):
    async def isolation_level():
        assert isinstance(consumer._thread, ReadCommittedThread)
        client = consumer._thread._create_worker_consumer(app.transport)
        client._closed = True  # it was never started
        return client._isolation_level

    assert loop.run_until_complete(isolation_level()) == "read_committed"


def test_faust_starts_no_producer(app):
    assert list(app.boot_strategy.kafka_producer()) == []


def test_no_more_is_fetched_of_a_topic_while_too_many_records_of_it_are_unfinished(consumer, monkeypatch):
    assigned = {PLACE, TP(PLACE.topic, 1), TP("translation.requests.critical", 0)}
    monkeypatch.setattr(consumer, "assignment", lambda: assigned)
    consumer._limits = HeldLimits(records=10, value_bytes=1_000)
    consumer._set_active_tps(assigned)
    for offset in range(10):
        consumer.received(message(offset))
    assert consumer._get_active_partitions() == {TP("translation.requests.critical", 0)}
    for offset in range(5):
        consumer.finish(message(offset))
    assert consumer._get_active_partitions() == {TP("translation.requests.critical", 0)}
    consumer.finish(message(5))
    assert consumer._get_active_partitions() == assigned


def test_few_large_records_are_too_many_too(consumer, monkeypatch):
    monkeypatch.setattr(consumer, "assignment", lambda: {PLACE})
    consumer._limits = HeldLimits(records=10, value_bytes=2)
    consumer._set_active_tps({PLACE})
    consumer.received(message(1))
    assert consumer._get_active_partitions() == {PLACE}
    consumer.received(message(2))
    assert consumer._get_active_partitions() == set()


def test_what_an_earlier_generation_left_unfinished_does_not_count(consumer, monkeypatch):
    monkeypatch.setattr(consumer, "assignment", lambda: {PLACE})
    consumer._limits = HeldLimits(records=1, value_bytes=1_000)
    consumer._set_active_tps({PLACE})
    consumer.received(message(1, generation=3))
    consumer.finish(message(1, generation=3))
    assert consumer._get_active_partitions() == {PLACE}


def test_only_finished_events_are_committed(consumer):
    consumer._acked[PLACE].extend([0, 1, 2, 3])
    consumer.finish(message(0))
    consumer.finish(message(1))
    assert consumer._filter_committable_offsets(consumer._filter_tps_with_pending_acks()) == {PLACE: 2}


def test_events_acked_by_faust_but_not_finished_are_never_committed(consumer):
    consumer._acked[PLACE].extend([0, 1, 2, 3])
    assert consumer._filter_committable_offsets(consumer._filter_tps_with_pending_acks()) == {}


def test_an_event_of_an_earlier_generation_is_not_committed(consumer):
    consumer.finish(message(7, generation=3))
    assert list(consumer._filter_tps_with_pending_acks()) == []


def test_nothing_passes_an_abandoned_event(consumer):
    consumer.abandon()
    consumer.finish(message(8))
    assert list(consumer._filter_tps_with_pending_acks()) == []


def test_the_same_offset_is_committed_once(consumer):
    consumer.finish(message(1))
    consumer._committed_offset[PLACE] = 2
    assert consumer._filter_committable_offsets([PLACE]) == {}


@pytest.mark.parametrize("codec", ["gzip", "lz4", "snappy", "zstd"])
def test_every_compression_that_a_producer_may_choose_can_be_read(codec):
    assert getattr(aiokafka.codec, f"has_{codec}")()


def test_a_pause_longer_than_a_rebalance_is_refused():
    with pytest.raises(ValueError, match="longest_pause_seconds"):
        FaustSettings(longest_pause_seconds=40)


def test_a_process_makes_no_folders_where_it_is_started(app, loop, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    loop.run_until_complete(app.on_first_start())
    assert list(tmp_path.iterdir()) == []
