"""Run a worker's handler over records as the loop does, without a broker."""

from collections.abc import Sequence

from connectors.kafka.commit_tracker import CommitTracker
from connectors.kafka.committing_reader import TakenRecord
from inference_workers.handler import BatchHandler
from inference_workers.reader_watch import ReaderWatch, WatchedReader
from schemas.records import InboundRecord, OutboundRecord


def taken(records: Sequence[InboundRecord]) -> list[TakenRecord]:
    """Give each record a ticket."""
    tracker = CommitTracker()
    return [TakenRecord(one, tracker.took(one.topic, one.partition, one.offset, 0.0)) for one in records]


def outputs_of(handler: BatchHandler, records: Sequence[InboundRecord]) -> list[OutboundRecord]:
    """Return everything that the records lead to: dead letters, translations in their order, at last the usage."""
    opened = handler.open(taken(records))
    while part := handler.segments.next_part(opened.workload):
        handler.segments.note(opened.workload, part, handler.segments.run(part))
    refused = [output for ended in opened.ended for output in ended.outputs]
    done = [
        output
        for index in sorted(opened.workload.finished())
        for output in handler.outputs(opened.records[index].record, opened.workload.batches[index])
    ]
    return [*refused, *done, *handler.usage_records()]


class NoWatch(ReaderWatch):
    """Sends nobody away, however long nothing comes: for sources that one thread asks."""

    def __init__(self) -> None:
        super().__init__(1)

    def may_begin(self, readers: Sequence[WatchedReader]) -> bool:
        return False
