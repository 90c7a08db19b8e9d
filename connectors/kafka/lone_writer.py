"""Change a compacted topic as its only writer: decide on what is there, and write that in one transaction."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transactional_producer import TransactionalProducer
from schemas.errors import FatalError, TransientError
from schemas.records import OutboundRecord

_ATTEMPTS = 5

T = TypeVar("T")


def change_alone(
    kafka: KafkaSettings, transactional_id: str, decide: Callable[[], tuple[T, Sequence[OutboundRecord]]]
) -> T:
    """Return what `decide` decides, once the records that it wants are stored: all or none.

    It is asked after the id is taken, which ends or aborts whatever another writer was writing, so it has to read
    to the end; where another one takes the id meanwhile, it is asked again. What it raises goes through. Blocks.
    Raises TransientError where that happens again and again, or for any other reason that lasts.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            producer = TransactionalProducer(kafka, transactional_id)
            decided, records = decide()
            if records:
                producer.commit(records, [])
        except FatalError as error:
            # Another writer began after us: nothing of ours was written. Any other reason lasts.
            if attempt == _ATTEMPTS:
                raise TransientError(f"the {transactional_id} could not be changed: {error}") from error
        else:
            return decided
    raise AssertionError
