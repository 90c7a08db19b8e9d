"""The corrections hang on private attributes of pinned versions; these tests notice when one moves."""

import asyncio
from types import SimpleNamespace

import aiokafka.codec
import pytest
from aiokafka.errors import CoordinatorNotAvailableError, RebalanceInProgressError
from faust.types import TP

from connectors.faust.app import build_app
from connectors.faust.bundles import Bundle, TakeLimits
from connectors.faust.settings import FaustSettings
from connectors.faust.transport import DurableThread, DurableTransport, FinishedConsumer, HeldLimits
from connectors.kafka.client_config import METADATA_REFRESH_MS
from connectors.kafka.settings import KafkaSettings
from schemas.records import InboundRecord

PLACE = TP("translation.requests.high", 0)
STORED = SimpleNamespace(
    topic=PLACE.topic, partition=PLACE.partition, key=b"k", value=b"v", headers=(), timestamp=1
)


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
    consumer = app.consumer
    assert isinstance(consumer, FinishedConsumer)
    consumer._begin(4)
    yield consumer
    consumer._thread.thread_loop.close()


def bundle(*offsets, generation=4):
    records = [InboundRecord(PLACE.topic, PLACE.partition, offset, b"k", b"v") for offset in offsets]
    return Bundle(PLACE, records, generation)


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
        assert isinstance(consumer._thread, DurableThread)
        client = consumer._thread._create_worker_consumer(app.transport)
        client._closed = True  # it was never started
        return client._isolation_level

    assert loop.run_until_complete(isolation_level()) == "read_committed"


def test_faust_starts_no_producer(app):
    assert list(app.boot_strategy.kafka_producer()) == []


def test_faust_takes_the_records_of_a_partition_for_one_message_that_ends_with_the_last(app, consumer, loop):
    async def getmany(_active, _timeout):
        record = lambda offset: SimpleNamespace(**vars(STORED) | {"offset": offset})  # noqa: E731
        return {PLACE: [record(offset) for offset in (3, 4, 6, 9)]}

    async def messages():
        return [message async for _, message in consumer.getmany(0.0)]

    app.take_limits, app.consumer_generation_id = TakeLimits(records=3, value_bytes=100), 7
    consumer._thread.getmany, consumer._thread.highwater = getmany, lambda _place: 10
    consumer.flow_active = True
    consumer._set_active_tps({PLACE})
    first, second = loop.run_until_complete(messages())
    assert [[record.offset for record in one.records] for one in (first, second)] == [[3, 4, 6], [9]]
    assert [(one.tp, one.offset, one.generation_id) for one in (first, second)] == [(PLACE, 6, 7), (PLACE, 9, 7)]


def test_a_poll_is_short_while_a_topic_is_held_up(consumer, loop, monkeypatch):
    waits = []

    async def getmany(_active, timeout):
        waits.append(timeout)
        return {}

    consumer._thread.getmany = getmany
    monkeypatch.setattr(consumer, "assignment", lambda: {PLACE})
    consumer._set_active_tps({PLACE})
    consumer._limits = HeldLimits(records=1, value_bytes=1_000)
    loop.run_until_complete(consumer._getmany({PLACE}, 1.0))
    consumer.received(bundle(1))
    loop.run_until_complete(consumer._getmany(set(), 1.0))
    consumer.finish(bundle(1))
    loop.run_until_complete(consumer._getmany({PLACE}, 1.0))
    assert waits == [1.0, 0.02, 1.0]


def test_offsets_between_two_bundles_are_no_gap_that_faust_remembers(consumer, loop):
    loop.run_until_complete(consumer._add_gap(PLACE, 3, 1000))
    assert not consumer._gap


def test_no_more_is_fetched_of_a_topic_while_too_many_records_of_it_are_unfinished(consumer, monkeypatch):
    assigned = {PLACE, TP(PLACE.topic, 1), TP("translation.requests.critical", 0)}
    monkeypatch.setattr(consumer, "assignment", lambda: assigned)
    consumer._limits = HeldLimits(records=10, value_bytes=1_000)
    consumer._set_active_tps(assigned)
    for offset in range(10):
        consumer.received(bundle(offset))
    assert consumer._get_active_partitions() == {TP("translation.requests.critical", 0)}
    for offset in range(5):
        consumer.finish(bundle(offset))
    assert consumer._get_active_partitions() == {TP("translation.requests.critical", 0)}
    consumer.finish(bundle(5))
    assert consumer._get_active_partitions() == assigned


def test_each_record_of_a_bundle_counts(consumer, monkeypatch):
    monkeypatch.setattr(consumer, "assignment", lambda: {PLACE})
    consumer._limits = HeldLimits(records=3, value_bytes=1_000)
    consumer._set_active_tps({PLACE})
    consumer.received(bundle(1, 2, 3))
    assert consumer._get_active_partitions() == set()
    consumer.finish(bundle(1, 2, 3))
    assert (consumer._get_active_partitions(), consumer._finished) == ({PLACE}, {PLACE: 4})


def test_few_large_records_are_too_many_too(consumer, monkeypatch):
    monkeypatch.setattr(consumer, "assignment", lambda: {PLACE})
    consumer._limits = HeldLimits(records=10, value_bytes=2)
    consumer._set_active_tps({PLACE})
    consumer.received(bundle(1))
    assert consumer._get_active_partitions() == {PLACE}
    consumer.received(bundle(2))
    assert consumer._get_active_partitions() == set()


def test_what_an_earlier_generation_left_unfinished_does_not_count(consumer, monkeypatch):
    monkeypatch.setattr(consumer, "assignment", lambda: {PLACE})
    consumer._limits = HeldLimits(records=1, value_bytes=1_000)
    consumer._set_active_tps({PLACE})
    consumer.received(bundle(1, generation=3))
    consumer.finish(bundle(1, generation=3))
    assert consumer._get_active_partitions() == {PLACE}


class Coordinator:
    """A stand-in for aiokafka's: it keeps what is committed, or fails as often as it is told to."""

    def __init__(self, generation=4, failures=()):
        self.generation = generation
        self.committed = {}
        self._failures = list(failures)
        self._commit_lock = asyncio.Lock()

    async def ensure_coordinator_known(self):
        """Return at once."""

    async def _do_commit_offsets(self, assignment, offsets):
        del assignment
        if self._failures:
            raise self._failures.pop(0)
        self.committed |= {partition.partition: found.offset for partition, found in offsets.items()}


@pytest.fixture
def coordinator(consumer, monkeypatch):
    return committing_to(Coordinator(), consumer, monkeypatch)


def committing_to(coordinator, consumer, monkeypatch):
    thread = consumer._thread
    monkeypatch.setattr(thread, "_ensure_consumer", lambda: SimpleNamespace(_coordinator=coordinator))
    monkeypatch.setattr(thread, "call_thread", lambda function, *args: function(*args))
    thread.tp_last_committed_at = {}
    return coordinator


def test_only_finished_events_are_committed(consumer, coordinator, loop):
    consumer._acked[PLACE].extend([0, 1, 2, 3])
    consumer.finish(bundle(0))
    consumer.finish(bundle(1))
    assert loop.run_until_complete(consumer.commit())
    assert coordinator.committed == {PLACE.partition: 2}


def test_events_acked_by_faust_but_not_finished_are_never_committed(consumer, coordinator, loop):
    consumer._acked[PLACE].extend([0, 1, 2, 3])
    assert not loop.run_until_complete(consumer.commit())
    assert coordinator.committed == {}
    assert consumer._acked[PLACE] == []


def test_an_event_of_an_earlier_generation_is_not_committed(consumer, coordinator, loop):
    consumer.finish(bundle(7, generation=3))
    assert not loop.run_until_complete(consumer.commit())


def test_nothing_passes_an_abandoned_event(consumer, coordinator, loop):
    consumer.abandon()
    consumer.finish(bundle(8))
    assert not loop.run_until_complete(consumer.commit())


def test_the_same_offset_is_committed_once(consumer, coordinator, loop):
    consumer.finish(bundle(1))
    assert loop.run_until_complete(consumer.commit())
    assert not loop.run_until_complete(consumer.commit())


def test_what_was_finished_before_the_group_went_on_is_not_committed_after_it(consumer, coordinator, loop):
    """It would put the offset back behind what another member has committed meanwhile."""
    consumer.finish(bundle(1))
    coordinator.generation = 5
    assert not loop.run_until_complete(consumer.commit())
    assert coordinator.committed == {}


def test_a_commit_that_failed_is_not_tried_again_in_the_next_generation(consumer, loop, monkeypatch):
    class MovesOn(Coordinator):
        async def _do_commit_offsets(self, assignment, offsets):
            self.generation = 5
            raise CoordinatorNotAvailableError

    coordinator = committing_to(MovesOn(), consumer, monkeypatch)
    consumer.finish(bundle(1))
    assert not loop.run_until_complete(consumer.commit())
    assert coordinator.committed == {}


def test_a_commit_waits_for_a_coordinator_that_comes_back(consumer, loop, monkeypatch):
    coordinator = committing_to(Coordinator(failures=[CoordinatorNotAvailableError()]), consumer, monkeypatch)
    consumer.finish(bundle(1))
    assert loop.run_until_complete(consumer.commit())
    assert coordinator.committed == {PLACE.partition: 2}


def test_a_commit_that_the_group_refuses_is_due_again(consumer, loop, monkeypatch):
    coordinator = committing_to(Coordinator(failures=[RebalanceInProgressError()]), consumer, monkeypatch)
    consumer.finish(bundle(1))
    assert not loop.run_until_complete(consumer.commit())
    assert loop.run_until_complete(consumer.commit())
    assert coordinator.committed == {PLACE.partition: 2}


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
