"""The ordinary worker, but its producer swallows the first outputs, as if Kafka never answered: `... NUMBER`."""

import itertools
import sys

from connectors.kafka.producer import DurableProducer, OnDone
from inference_workers.main import main
from schemas.records import OutboundRecord
from schemas.topics import OPERATIONS

_swallowed, _numbers = int(sys.argv[1]), itertools.count()
_send_async = DurableProducer.send_async


def _send_some(producer: DurableProducer, record: OutboundRecord, on_done: OnDone) -> None:
    if record.topic == OPERATIONS or next(_numbers) >= _swallowed:
        _send_async(producer, record, on_done)


DurableProducer.send_async = _send_some  # type: ignore[method-assign, assignment]  # on purpose

if __name__ == "__main__":
    main()
