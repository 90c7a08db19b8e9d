"""Send a few records, and read them as members of a group do."""

from connectors.kafka.producer import DurableProducer
from schemas.records import OutboundRecord

NAME = "test"
"""Name of every member that these tests make."""


def send(settings, topic, key, count):
    producer = DurableProducer(settings)
    producer.send([OutboundRecord(topic, key, str(number).encode(), {"h": b"x"}) for number in range(count)])
    producer.close()


def take_all(reader, key, count):
    """Read until that many records with the key have arrived."""
    found = []
    for _ in range(100):
        found += [record for record in reader.take(50, 0.2) if record.key == key]
        if len(found) >= count:
            break
    return found


def take_some(reader, partitions):
    """Read until records of that many partitions have arrived."""
    found = []
    for _ in range(1_000):
        found += reader.take(1, 0.1)
        if len({record.partition for record in found}) >= partitions:
            break
    return found


def take_in_turn(*readers):
    """Read with each in turn, so that a rebalance can complete."""
    for _ in range(300):
        for reader in readers:
            reader.take(1, 0.1)
