"""Turn results into rows of `requests`. Pure."""

from collections import Counter
from collections.abc import Iterator

from schemas.codec import Codec
from schemas.messages import TranslationResult
from schemas.priorities import SLA_SECONDS, parse_priority
from schemas.records import InboundRecord
from schemas.validity import LATEST_MS, check_key, check_length, check_number, check_texts
from stream_apps.usage_sink.inserting import Row
from stream_apps.usage_sink.rows.parts import TableRow, check_figures, check_time, coordinates_of

_COUNTS = (
    "units", "segments", "cached_segments", "source_words", "cached_words", "target_words", "source_characters",
    "target_characters",
)  # fmt: skip
_NAMES = (
    "kind", "priority", "pool", "source_language", "detected_language", "target_language", "content_type",
    "pipeline_version", "model", "device", "market",
)  # fmt: skip


def result_rows(record: InboundRecord, codec: Codec, now_ms: int) -> Iterator[TableRow]:
    """Yield the row of `requests` that a result is; none for a tombstone. Raises PermanentError."""
    if record.value is None:
        return
    result = codec.decode(record.value, TranslationResult)
    _check_result(result, now_ms)
    yield "requests", {**_request_row(result), **coordinates_of(record)}


def _check_result(result: TranslationResult, now_ms: int) -> None:
    check_key(result.key)
    check_time("completed_at", result.completed_at, now_ms)
    check_number("submitted_at", result.submitted_at, most=LATEST_MS)
    check_number("busy_ms", result.busy_ms, most=LATEST_MS)
    check_number("confidence", result.confidence or 0.0, most=1)
    check_number("version", result.version)
    check_texts("labels", result.labels)
    check_figures("timings", result.timings)
    for field in _COUNTS:
        check_number(field, getattr(result, field))
    for field in _NAMES:
        check_length(field, getattr(result, field) or "")


def _request_row(result: TranslationResult) -> Row:
    seconds = {f"{stage}_seconds": result.timings.get(stage, 0.0) for stage in ("queue", "translate", "total")}
    return {
        **result.key._asdict(),
        **{field: getattr(result, field) or "" for field in _NAMES},
        **{field: getattr(result, field) for field in _COUNTS},
        **seconds,
        "answer": result.version,
        "status": str(result.status or ""),
        "cause": _cause_of(result),
        "labels": result.labels,
        "failed_segments": len(result.holes),
        "warnings": sum(warning.count for warning in result.warnings),
        "confidence": result.confidence,
        "busy_ms": result.busy_ms,
        "stage_seconds": result.timings,
        "sla_seconds": SLA_SECONDS[parse_priority(result.priority)],
        "submitted_at": result.submitted_at,
        "completed_at": result.completed_at,
    }


def _cause_of(result: TranslationResult) -> str:
    """Return why there is no text, or why most of the missing segments are missing."""
    causes = Counter(hole.cause for hole in result.holes).most_common(1) if result.holes else ()
    found = result.error_cause or (causes[0][0] if causes else "")
    check_length("cause", found)
    return found
