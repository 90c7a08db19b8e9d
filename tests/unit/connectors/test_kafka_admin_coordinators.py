"""A coordinator that says it is none. In a process of its own, for the failure that is feared ends it."""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import confluent_kafka
import pytest
from confluent_kafka import Producer

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.settings import KafkaSettings
from schemas.errors import TransientError

CHECKOUT = Path(__file__).parents[3]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(CHECKOUT)}
# Kafka's numbers of the requests, and of the answer.
_OFFSET_COMMIT, _OFFSET_FETCH, _NOT_COORDINATOR = 8, 9, 16


@pytest.mark.parametrize("question", ["lag", "move"])
def test_a_coordinator_that_moves_is_a_transient_failure_and_no_crash(question):
    command = [sys.executable, __file__, question]
    ran = subprocess.run(command, cwd=CHECKOUT, env=ENVIRONMENT, capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stdout) == (0, "away\nthere\n"), ran.stderr


def main(question: str) -> None:
    """librdkafka's mock broker refuses one request, then answers."""
    cluster = Producer({"bootstrap.servers": "unused:1", "test.mock.num.brokers": 1, "log_level": 2})
    (broker,) = cluster.list_topics(timeout=10).brokers.values()
    bootstrap = f"{broker.host}:{broker.port}"
    writer = Producer({"bootstrap.servers": bootstrap, "log_level": 2})
    writer.produce("t", b"")
    writer.flush(10)
    admin = KafkaAdmin(KafkaSettings(bootstrap=bootstrap))
    refuse_once(cluster, _OFFSET_FETCH if question == "lag" else _OFFSET_COMMIT)
    for _ in range(2):
        try:
            admin.lag("g", ["t"]) if question == "lag" else admin.move_group("g", {("t", 0): 0})
            print("there")
        except TransientError:
            print("away")


def refuse_once(cluster: Producer, request: int) -> None:
    """The Python client does not show this part of librdkafka."""
    (library,) = Path(confluent_kafka.__file__).parents[1].glob("confluent_kafka.libs/librdkafka-*.so*")
    librdkafka = ctypes.CDLL(str(library))
    librdkafka.rd_kafka_handle_mock_cluster.restype = ctypes.c_void_p
    # A client object begins with Python's header (two words), then librdkafka's handle.
    handle = ctypes.c_void_p.from_address(id(cluster) + 2 * ctypes.sizeof(ctypes.c_void_p))
    mock = ctypes.c_void_p(librdkafka.rd_kafka_handle_mock_cluster(handle))
    errors = (ctypes.c_int * 1)(_NOT_COORDINATOR)
    librdkafka.rd_kafka_mock_push_request_errors_array(mock, ctypes.c_int16(request), ctypes.c_size_t(1), errors)


if __name__ == "__main__":
    main(sys.argv[1])
