"""The bare Kafka loop: consume what is there, produce it to another topic, commit both in one transaction.

`python -m tests.bench.kafka_loop BOOTSTRAP` runs it until SIGTERM; `loop` measures it.
"""

import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import replace

from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from deploy.local.stack import python_command
from tests.bench.driver import Driver, Record
from tests.bench.figures import Leg
from tests.bench.harness import Platform, process, processor_ms, say

NAME = "bare Kafka loop"
SOURCE, TARGET = "bench.in", "bench.out"
_PARTITIONS = 6


def loop(platform: Platform, records: Sequence[Record], in_flight: int, seconds: float) -> Leg:
    """Measure it on the broker of the platform, whose own processes stand still meanwhile."""
    say(f"{NAME}, {seconds:g} s")
    _create_topics(platform.run.kafka_bootstrap)
    driver = Driver(platform, TARGET)
    moved = [replace(record, topic=SOURCE) for record in records]
    with process(*python_command("tests.bench.kafka_loop"), platform.run.kafka_bootstrap) as pid:
        driver.closed_loop("join", moved[:1], 1)
        with platform.alone():
            before = processor_ms(pid)
            leg = driver.closed_loop(NAME, moved[1:], in_flight, seconds)
            spent = round(processor_ms(pid) - before, 1)
    driver.close()
    return replace(leg, cpu_ms={"kafka": leg.cpu_ms["kafka"], "loop": spent})


def run(bootstrap: str) -> None:
    """Run the loop for ever."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap, "group.id": str(uuid.uuid4()), "isolation.level": "read_committed",
            "enable.auto.commit": False, "auto.offset.reset": "earliest",
        }
    )  # fmt: skip
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": "bench-loop", "linger.ms": 1})
    producer.init_transactions()
    consumer.subscribe([SOURCE])
    while True:
        messages = [*consumer.consume(1, 1.0), *consumer.consume(500, 0)]
        if not messages:
            continue
        producer.begin_transaction()
        for message in messages:
            producer.produce(TARGET, key=message.key(), value=message.value())
        producer.send_offsets_to_transaction(
            consumer.position(consumer.assignment()), consumer.consumer_group_metadata()
        )
        producer.commit_transaction()


def _create_topics(bootstrap: str) -> None:
    """Make both topics anew, so that no record of an earlier leg is in them."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    if SOURCE in admin.list_topics(timeout=10).topics:
        for done in admin.delete_topics([SOURCE, TARGET]).values():
            done.result()
        time.sleep(1)
    for done in admin.create_topics([NewTopic(name, _PARTITIONS, 1) for name in (SOURCE, TARGET)]).values():
        done.result()
    time.sleep(0.5)


if __name__ == "__main__":
    run(sys.argv[1])
