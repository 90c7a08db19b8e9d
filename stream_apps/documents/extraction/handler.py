"""Handle one cycle of extraction: a request for a document in, its batches out, in one transaction.

A request that is answered already, or late, is not read. A document that cannot be read becomes a dead letter, and
an order to assembly to answer with FAILED.
"""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Any, TypeVar

import structlog

from connectors.telemetry.log_fields import about
from connectors.telemetry.metrics import DOCUMENT_SECONDS, DOCUMENTS, labelled
from schemas.dead_letters import about_request
from schemas.errors import PermanentError
from schemas.messages import changed
from schemas.records import InboundRecord, OutboundRecord, StoredAt
from schemas.slots import RequestRevision
from stream_apps.documents.extraction.reading import DocumentReader, ReadDocument
from stream_apps.intake.cutting import CutRequest, ExpiredError, Reading, RequestCutter
from stream_apps.intake.handler import WITHOUT_IDENTITY
from stream_apps.intake.outputs import RequestOutputs
from stream_apps.pipeline.stores import AnsweredRequests
from stream_apps.runtime.dead_letters import DeadLetterWriter
from stream_apps.runtime.stage_spans import StageSpans

log = structlog.get_logger()

STAGE = "extraction"

T = TypeVar("T")
Run = Callable[[Coroutine[Any, Any, T]], T]


@dataclass
class ExtractionHandler:
    """A handler of the transactional processor. Handling the same records again gives the same batches.

    `run` runs a coroutine to its end: what extraction shares with intake is written for an event loop.
    """

    cutter: RequestCutter
    outputs: RequestOutputs
    documents: DocumentReader
    answered: AnsweredRequests
    dead_letters: DeadLetterWriter
    run: Run[Any]
    spans: StageSpans = field(default_factory=StageSpans)
    _handled: list[tuple[InboundRecord, int]] = field(default_factory=list, init=False)

    def handle(self, records: list[InboundRecord]) -> list[OutboundRecord]:
        """Return all outputs of the records. Raises TransientError."""
        groups = [self._outputs(self.spans.begin(record)) for record in records]
        self._handled = [(record, len(group)) for record, group in zip(records, groups, strict=True)]
        return [output for group in groups for output in group]

    def committed(self, places: Sequence[StoredAt]) -> None:
        """Note the plans of the requests whose batches are stored. Raises TransientError."""
        handled, self._handled = self._handled, []
        ends = list(accumulate((count for _, count in handled), initial=0))
        mine = [places[start : start + count] for start, (_, count) in zip(ends, handled, strict=False)]
        self.run(self.outputs.stores.deduplicator.delivered([record for record, _ in handled], mine))
        self.spans.end(record.coordinates for record, _ in handled)

    def _outputs(self, record: InboundRecord) -> Sequence[OutboundRecord]:
        try:
            reading = self.cutter.read(record)
        except PermanentError as error:
            return [self.dead_letters.record_of(self.dead_letters.dead_letter_of(record, error))]
        revision = RequestRevision(reading.request.key, self.cutter.header(reading).revision)
        if self.answered.among([revision]):
            return self._counted("skipped", ())
        try:
            return self._counted("extracted", self._batches(reading))
        except ExpiredError:
            return self._counted("expired", [self.outputs.expiry(reading)])
        except PermanentError as error:
            return self._counted("refused", self._refused(reading, error))

    def _batches(self, reading: Reading) -> Sequence[OutboundRecord]:
        reading, languages = self.cutter.checked(reading)
        key = reading.request.key
        with DOCUMENT_SECONDS.labels(STAGE).time(), about(key, reading.record.headers):
            read = self.documents.read(reading.request, languages)
        cut = self.run(self.cutter.cut_text(reading, languages, read.text, read.document))
        (outcome,) = self.run(self.outputs.of([_with_marks(cut, read)], pages=read.pages))
        if isinstance(outcome, PermanentError):
            raise outcome
        log.info("document_extracted", job=key, record=reading.record, units=read.document.units)
        return outcome  # type: ignore[no-any-return]  # `run` is of any type

    def _refused(self, reading: Reading, error: PermanentError) -> Sequence[OutboundRecord]:
        dead_letter = self.dead_letters.dead_letter_of(reading.record, error)
        if error.cause in WITHOUT_IDENTITY:
            return [self.dead_letters.record_of(dead_letter)]
        letter = self.dead_letters.record_of(about_request(dead_letter, reading.request.key))
        return [letter, self.outputs.refusal(reading, error)]

    def _counted(self, outcome: str, outputs: Sequence[OutboundRecord]) -> Sequence[OutboundRecord]:
        labelled(DOCUMENTS, outcome).inc()
        return outputs


def _with_marks(cut: CutRequest, read: ReadDocument) -> CutRequest:
    """Add what only the file tells."""
    warnings = [*read.marks, *cut.job.warnings]
    return replace(cut, job=changed(cut.job, warnings=warnings, inline_codes=read.has_codes))
