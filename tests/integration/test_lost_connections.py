"""A cluster that starts and names no broker can end librdkafka's clients for good; ours notice and go on anew."""

import random
import time

import pytest

from connectors.kafka.lost_connection import LostConnectionError, is_reachable
from connectors.kafka.partition_reader import PartitionReader
from schemas.errors import TransientError
from schemas.topics import CONTROL
from tests.group_traffic import send, take_all
from tests.integration.kafka_proxy import KafkaProxy

# It is a race in the library, lost by every sixth client or so each time.
pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(300)]

_ATTEMPTS, _CLIENTS = 25, 5
_UNNAMED_SECONDS, _SETTLE_SECONDS, _ANSWER_SECONDS = 4.0, 1.5, 2.0
_BETWEEN_CUTS_SECONDS = (0.3, 1.3)


@pytest.fixture
def proxy(kafka_bootstrap):
    with KafkaProxy(kafka_bootstrap) as proxy:
        yield proxy


@pytest.fixture
def through(settings, proxy):
    """The settings of who sees the broker through the proxy."""
    return settings.model_copy(update={"bootstrap": proxy.bootstrap})


def is_lost(reader):
    return not is_reachable(reader._consumer, _ANSWER_SECONDS)


def first_lost(proxy, readers):
    """The broker goes away and comes back, naming nobody at first, until one of them has lost it for good."""
    for _ in range(_ATTEMPTS):
        proxy.names_brokers = False
        end = time.monotonic() + _UNNAMED_SECONDS
        while time.monotonic() < end:
            proxy.cut()
            time.sleep(random.uniform(*_BETWEEN_CUTS_SECONDS))
        proxy.names_brokers = True
        time.sleep(_SETTLE_SECONDS)
        if lost := [reader for reader in readers if is_lost(reader)]:
            return lost[0]
    pytest.fail(f"all came back {_ATTEMPTS} times: has the library been mended?")


def test_a_reader_that_can_never_read_again_says_so(proxy, through):
    readers = [PartitionReader(through, "test") for _ in range(_CLIENTS)]
    for reader in readers:
        reader.read_from({(CONTROL, 0): 0})
    reader = first_lost(proxy, readers)
    assert [is_lost(reader) for _ in range(3)] == [True] * 3
    with pytest.raises(LostConnectionError, match="not this one"):
        take_for_ever(reader)
    for reader in readers:
        reader.close()


def take_for_ever(reader):
    while True:
        reader.take(5_000, 0.1)


def take_until_it_is_another(reader):
    """As a cycle does: what fails for now is tried again."""
    client = reader._consumer
    while reader._consumer is client:
        try:
            reader.take(50, 0.1)
        except TransientError:
            reader.rewind()


def test_a_member_of_a_group_goes_on_with_a_new_client(settings, proxy, through, key, joined):
    readers = [joined(through) for _ in range(_CLIENTS)]
    send(settings, CONTROL, key, 1)
    for reader in readers:
        assert len(take_all(reader, key, 1)) == 1
    reader = first_lost(proxy, readers)
    send(settings, CONTROL, key, 1)
    take_until_it_is_another(reader)
    assert len(take_all(reader, key, 2)) == 2
