"""How long a client waits for a broker that went away, on librdkafka's own mock of a cluster."""

import logging
import re
import subprocess
import sys
import time
from contextlib import contextmanager

from confluent_kafka import Producer

from connectors.kafka.client_config import producer_config
from connectors.kafka.settings import KafkaSettings

BROKER = """
import sys
from confluent_kafka import Producer
mock = Producer({"bootstrap.servers": "unused:1", "test.mock.num.brokers": 1, "log_level": 2})
print(next(iter(mock.list_topics(timeout=5).brokers.values())).port, flush=True)
sys.stdin.read()
"""
# With no broker left librdkafka drops its handles and their pauses; it keeps them where others are there.
WATCHED = {"metadata.recovery.strategy": "none", "debug": "broker", "log_level": 7}


@contextmanager
def broker():
    """The port of a broker that is gone afterwards, as if by SIGKILL."""
    with subprocess.Popen(
        [sys.executable, "-c", BROKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as mock:
        try:
            assert mock.stdout is not None
            yield int(mock.stdout.readline())
        finally:
            mock.kill()


class Pauses(logging.Handler):
    """What the client says of its pauses, in milliseconds."""

    def __init__(self):
        super().__init__()
        self.ms = []

    def emit(self, record):
        if found := re.search(r"Delaying next reconnect by (\d+)ms", record.getMessage()):
            self.ms.append(int(found[1]))


def pauses_while_away(settings, seconds):
    pauses, logger = Pauses(), logging.Logger("client", logging.DEBUG)
    logger.addHandler(pauses)
    with broker() as port:
        config = producer_config(settings.model_copy(update={"bootstrap": f"127.0.0.1:{port}"}))
        client = Producer(config | WATCHED, logger=logger)
        client.produce("topic", b"value")
        assert client.flush(10) == 0
    client.produce("topic", b"value")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        client.poll(0.05)
    client.purge()
    return pauses.ms


def test_pauses_before_a_broker_is_asked_again_end_at_the_configured_longest():
    pauses = pauses_while_away(KafkaSettings(reconnect_max_ms=100), seconds=1.5)
    assert len(pauses) > 5
    assert max(pauses) <= 100
