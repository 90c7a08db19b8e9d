"""An answer whose transaction is under way, and what is counted and told of it once it is committed."""

from dataclasses import dataclass

import structlog

from connectors.telemetry import metrics
from connectors.telemetry.metrics import labelled
from connectors.tracing.spans import About, Facts
from schemas.messages import TranslationResult
from schemas.records import Headers
from schemas.slots import AnswerSource, Completion
from schemas.traces import exemplar_of

log = structlog.get_logger()


@dataclass(frozen=True)
class Answered:
    """An answer whose transaction is under way; `result` without its text, `headers` those of its completer.

    `is_again`: it was published before, and is now without its text.
    """

    source: AnswerSource
    coordinates: str
    headers: Headers
    encoded: bytes
    result: TranslationResult
    is_again: bool = False

    @property
    def completion(self) -> Completion:
        """Return what the marker says of it."""
        result = self.result
        return Completion(
            self.coordinates, result.status or "", result.completed_at, self.encoded, result.erased_at
        )

    def count(self) -> None:
        """Count it, as committed."""
        result = self.result
        if result.erased_at is not None:
            metrics.REQUESTS_ERASED.inc()
            log.info("request_erased", job=result.key, trace=self.headers, status=result.status)
        if self.is_again:
            return
        labelled(metrics.RESULTS, result.priority, result.status or "").inc()
        seconds = labelled(metrics.RESULT_SECONDS, result.priority)
        seconds.observe(result.timings["total"], exemplar_of(self.headers))
        log.debug("request_answered", job=result.key, trace=self.headers, status=result.status)


def answer_facts(result: TranslationResult) -> Facts:
    """Return what the span of an answer says."""
    cause = {About.CAUSE: result.error_cause} if result.error_cause else {}
    return {
        **cause,
        About.TENANT: result.tenant,
        About.REQUEST_ID: result.request_id,
        About.PRIORITY: result.priority,
        About.STATUS: result.status or "",
        About.VERSION: result.version,
        About.WORDS: result.source_words,
    }
