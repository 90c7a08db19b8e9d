"""The sound records of a cycle, and how many of them are decided together. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schemas.events import JobControl
from schemas.messages import TranslatedBatch
from schemas.records import FIRST_REVISION, InboundRecord
from schemas.slots import AnswerOrder, Arrival, RequestRevision
from schemas.states import ControlAction


@dataclass(frozen=True)
class ParsedRecord:
    """A sound record, its message, and its entry for the slots."""

    record: InboundRecord
    message: TranslatedBatch | JobControl
    entry: Arrival | AnswerOrder

    @property
    def erasure(self) -> tuple[InboundRecord, JobControl] | None:
        """Return record and order where the request is to be erased."""
        order = self.message
        if isinstance(order, JobControl) and order.action is ControlAction.ERASE:
            return self.record, order
        return None

    @property
    def slots_bytes(self) -> int:
        """Estimate the bytes that the slots return when this record completes its request."""
        return self.record.value_bytes * (self.entry.batches if isinstance(self.entry, Arrival) else 1)


def request_of(message: TranslatedBatch | JobControl) -> RequestRevision:
    """Return the request that a message is about, and which answer to it."""
    return RequestRevision(message.key, message.job.revision if message.job else FIRST_REVISION)


def portions(parsed_records: Sequence[ParsedRecord], most_bytes: int) -> Iterator[list[ParsedRecord]]:
    """Group the records, in order, so that the slots of all requests they may complete have about `most_bytes`.

    The sizes of the other slots of a request are not known; they are taken to be like the one that came.
    """
    portion: list[ParsedRecord] = []
    requests: set[RequestRevision] = set()
    size = 0
    for parsed in parsed_records:
        # A request is completed once, however many of its records come.
        more = 0 if parsed.entry.request in requests else parsed.slots_bytes
        if portion and size + more > most_bytes:
            yield portion
            portion, requests, size, more = [], set(), 0, parsed.slots_bytes
        portion.append(parsed)
        requests.add(parsed.entry.request)
        size += more
    if portion:
        yield portion
