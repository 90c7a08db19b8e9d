"""confluent-kafka on the broker that librdkafka brings along: names that are not UTF-8 crash no process."""

import os
import subprocess
import sys

import pytest
from confluent_kafka import Producer

RECORDS = 40
# In a process of its own, for the failure would be the end of the process. Reading must become hot.
READ = """
import sys
from confluent_kafka import Consumer, TopicPartition
from connectors.kafka.group_member import record_of

consumer = Consumer({"bootstrap.servers": sys.argv[1], "group.id": "g"})
consumer.assign([TopicPartition("t", 0, 0)])
found = []
while len(found) < int(sys.argv[2]):
    found += [record_of(message) for message in consumer.consume(500, 0.5)]
consumer.close()
print(len([record for record in found if record.headers == {}]))
"""


@pytest.fixture
def bootstrap():
    broker = Producer({"bootstrap.servers": "none", "test.mock.num.brokers": 1, "log_level": 2})
    broker.produce("t", b"so that the topic is there", partition=0)
    assert broker.flush(10) == 0
    (known,) = broker.list_topics(timeout=5).brokers.values()
    yield f"{known.host}:{known.port}"
    # The broker lives as long as the producer.
    broker.flush(1)


def test_a_process_reads_any_number_of_records_with_names_that_are_no_utf8(bootstrap):
    script = [sys.executable, "tests/fuzz/raw_names.py", bootstrap, *["t"] * RECORDS]
    subprocess.run(script, env={**os.environ, "AIOKAFKA_NO_EXTENSIONS": "1"}, timeout=30, check=True)
    read = [sys.executable, "-c", READ, bootstrap, str(RECORDS + 1)]
    done = subprocess.run(read, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, str(RECORDS + 1)), done.stderr[-500:]
