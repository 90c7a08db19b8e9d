"""The corrections hang on private attributes of pinned versions; these tests notice when one moves."""

import asyncio
import struct

import aiokafka.codec
import pytest
from aiokafka.partitioner import DefaultPartitioner
from faust.types import TP, Message

from connectors.faust.app import build_app
from connectors.faust.settings import FaustSettings
from connectors.faust.transport import DurableTransport, FinishedConsumer, ReadCommittedThread
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
    assert (conf.producer_acks, conf.stream_wait_empty, conf.web_enabled) == (-1, True, False)
    assert (conf.broker_session_timeout, conf.broker_rebalance_timeout, conf.broker_commit_interval) == (6, 30, 1)
    assert (conf.consumer_group_instance_id, conf.producer_linger) == (None, 0.007)
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


def test_the_producer_is_idempotent_and_waits_for_all_replicas(app):
    assert app.producer._settings_extra() == {"acks": "all", "enable_idempotence": True}


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


@pytest.mark.parametrize(
    ("key", "hashed"),
    [
        # The vectors of Apache Kafka's own test, UtilsTest.testMurmur2.
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_keys_go_where_java_clients_put_them(key, hashed):
    unsigned = struct.unpack(">I", struct.pack(">i", hashed))[0]
    assert DefaultPartitioner()(key, list(range(6)), list(range(6))) == (unsigned & 0x7FFFFFFF) % 6


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
