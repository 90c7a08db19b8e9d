"""Check what the types of a message's fields do not: lengths, counts, times, parallel arrays. Pure.

Anybody may write to a topic, so each process checks what it reads, and a record that is out of bounds becomes a
dead letter. The bounds are those of the wire: the limits of intake lie far within them, and whatever is built
from a sound message fits into a Kafka record again.
"""

import math
import re
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

import re2

from schemas.errors import PermanentError
from schemas.events import UsageEvent
from schemas.ids import JobKey
from schemas.messages import Job
from schemas.priorities import Priority, parse_priority
from schemas.records import FIRST_REVISION, MOST_REVISIONS

# Characters of an id, a name, a tag, a version or a cause, and of a sentence about what went wrong.
LONGEST_NAME = 1000
LONGEST_REMARK = 10_000
MOST_BATCHES = 100_000
MOST_SEGMENTS_PER_BATCH = 10_000
MOST_METADATA_BYTES = 65_536
MOST_NAMES = 1000
# Of the entries of glossaries that occur in one batch.
MOST_TERM_BYTES = 500_000
# Memory grows with the beam; beyond a handful, quality does not.
WIDEST_BEAM = 16
# A name in engine_options: what else than the known kinds of placeholders must come back as it is.
PATTERN_OPTION = "placeholder_pattern"
LONGEST_PATTERN = 250
# 14 digits, so until the year 5138 in milliseconds: times beyond it were meant as something else.
LATEST_MS = 10**14 - 1
_PATTERN_BYTES = 1 << 20
_BEAM_DIGITS = len(str(WIDEST_BEAM))
_MOST_COUNTED = 2**31 - 1
# A label of a DNS name (RFC 1123).
_TENANT = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")

_NAMES = (
    "kind",
    "pool",
    "source_language",
    "target_language",
    "content_type",
    "pipeline_version",
    "fingerprint",
    "memory_scope",
    "detected_language",
    "submitted_by",
)
_COUNTS = ("segments", "words", "characters", "billed_words", "billed_characters")
_TIMES = ("submitted_at", "accepted_at")
_names_of, _counts_of = attrgetter(*_NAMES), attrgetter(*_COUNTS)

_USAGE_NAMES = (
    "tenant", "request_id", "submitted_by", "request_kind", "content_type", "source_language", "target_language",
    "model", "pool", "worker", "device", "market",
)  # fmt: skip
_USAGE_COUNTS = (
    "batches", "units", "segments", "cached_segments", "failed_segments", "source_words", "target_words",
    "cached_words", "source_characters", "target_characters", "sla_ms",
)  # fmt: skip
_USAGE_DURATIONS = ("busy_ms", "queue_ms", "latency_ms")
_PRIORITIES = frozenset(Priority)


def check_job(job: Job) -> None:
    """Check the header of a batch or an order. Raises PermanentError naming the field."""
    parse_priority(job.priority)
    # Nearly every job is sound, and each record has one: only an unsound one is looked at field by field.
    if max(len(name or "") for name in _names_of(job)) > LONGEST_NAME:
        for field in _NAMES:
            check_length(f"job.{field}", getattr(job, field) or "")
    if not all(0 <= count <= _MOST_COUNTED for count in _counts_of(job)):
        for field in _COUNTS:
            check_number(f"job.{field}", getattr(job, field))
    for field in _TIMES:
        check_number(f"job.{field}", getattr(job, field), most=LATEST_MS)
    check_number("job.batches", job.batches, most=MOST_BATCHES)
    check_number("job.revision", job.revision, least=FIRST_REVISION, most=MOST_REVISIONS)
    check_texts("job.metadata", job.metadata)
    check_texts("job.labels", job.labels)
    check_names("job.glossaries", job.glossaries)
    check_length("job.callback", job.callback or "", LONGEST_REMARK)
    check_names("job.warnings", [f"{one.cause} {one.place}" for one in job.warnings])


def check_usage(event: UsageEvent) -> None:
    """Check a usage event, whose numbers will be added up. Raises PermanentError naming the field."""
    parse_priority(event.priority)
    for field in _USAGE_NAMES:
        check_length(field, getattr(event, field))
    check_texts("labels", event.labels)
    for field in _USAGE_COUNTS:
        check_number(field, getattr(event, field))
    for field in _USAGE_DURATIONS:
        check_number(field, getattr(event, field), most=LATEST_MS)


def is_sound_usage(columns: Mapping[str, Sequence[Any]]) -> bool:
    """Tell, ten times faster, that `check_usage` refuses none of these events, which are given as columns.

    False tells nothing: ask `check_usage` about each. The columns must not be empty, and none may be missing.
    """
    return (
        set(columns["priority"]) <= _PRIORITIES
        and all(max(map(len, columns[field])) <= LONGEST_NAME for field in _USAGE_NAMES)
        and all(min(columns[field]) >= 0 and max(columns[field]) <= _MOST_COUNTED for field in _USAGE_COUNTS)
        and all(all(map(math.isfinite, columns[field])) for field in _USAGE_DURATIONS)
        and all(min(columns[field]) >= 0 and max(columns[field]) <= LATEST_MS for field in _USAGE_DURATIONS)
        and all(_is_small(labels) for labels in columns["labels"] if labels)
    )


def _is_small(texts: Mapping[str, str]) -> bool:
    """Tell that the texts have few enough bytes, whatever their characters are."""
    longest_character = 4
    return longest_character * sum(len(key) + len(text) for key, text in texts.items()) <= MOST_METADATA_BYTES


def check_key(key: JobKey) -> None:
    """Check the identity of a request. Raises PermanentError naming the field."""
    check_tenant(key.tenant)
    check_id("request_id", key.request_id)


def check_tenant(tenant: str) -> None:
    """Check that a tenant is a DNS label, which fits topic names and object paths. Raises PermanentError."""
    if not _TENANT.fullmatch(tenant):
        shown = tenant[:40].encode("unicode_escape").decode()
        raise PermanentError(
            "bad_tenant",
            f"tenant is '{shown}' ({len(tenant)} characters)",
            field="tenant",
            limit="1 to 63 of a-z, 0-9 and -, not at either end",
            cure="send the tenant's name as it was created",
        )


def check_id(field: str, value: str) -> None:
    """Check an id: neither empty nor too long. Raises PermanentError."""
    if not value:
        raise out_of_bounds(field, "empty", f"1 to {LONGEST_NAME} characters")
    check_length(field, value)


def check_length(field: str, value: str, most: int = LONGEST_NAME) -> None:
    """Check a length in characters. Raises PermanentError beyond `most`."""
    if len(value) > most:
        raise out_of_bounds(field, f"{len(value)} characters long", f"{most} characters")


def check_names(field: str, names: Sequence[str]) -> None:
    """Check a list of names. Raises PermanentError for too many, or one that is too long."""
    if len(names) > MOST_NAMES:
        raise out_of_bounds(field, f"{len(names)} entries long", f"{MOST_NAMES} entries")
    for name in names:
        check_length(field, name)


def check_number(field: str, value: float, *, least: int = 0, most: int = _MOST_COUNTED) -> None:
    """Check a number. Raises PermanentError outside `least` to `most`, and for NaN and infinity."""
    if not (math.isfinite(value) and least <= value <= most):
        raise out_of_bounds(field, f"{value}", f"{least} to {most}")


def check_texts(field: str, texts: Mapping[str, str], most_bytes: int = MOST_METADATA_BYTES) -> None:
    """Check a map of texts. Raises PermanentError when keys and values have too many UTF-8 bytes together."""
    size = sum(len(key.encode()) + len(value.encode()) for key, value in texts.items())
    if size > most_bytes:
        raise out_of_bounds(field, f"{size} bytes large", f"{most_bytes} bytes")


def check_parallel(lengths: Mapping[str, int]) -> None:
    """Check that arrays are equally long and not too long. Raises PermanentError naming the first bad one."""
    names = list(lengths)
    wanted = lengths[names[0]]
    if wanted > MOST_SEGMENTS_PER_BATCH:
        raise out_of_bounds(names[0], f"{wanted} entries long", f"{MOST_SEGMENTS_PER_BATCH} entries")
    for name in names[1:]:
        if lengths[name] != wanted:
            raise out_of_bounds(name, f"{lengths[name]} entries long", f"{wanted} entries, as many as {names[0]}")


def out_of_bounds(field: str, found: str, limit: str) -> PermanentError:
    """Build the error. `found` must not quote a text."""
    return PermanentError(
        "out_of_bounds",
        f"{field} is {found}",
        field=field,
        limit=limit,
        cure="send a message as schemas/avro and this limit say, under a new id",
    )


def beam_size_of(options: Mapping[str, str]) -> int | None:
    """Return the beam that the engine's options ask for, or None. Raises PermanentError for any other value."""
    asked = options.get("beam_size")
    if asked is None:
        return None
    if not (asked.isascii() and asked.isdigit() and len(asked) <= _BEAM_DIGITS and 1 <= int(asked) <= WIDEST_BEAM):
        raise PermanentError(
            "bad_options",
            f"engine_options.beam_size is {asked[:20]!r}",
            field="engine_options.beam_size",
            limit=f"a whole number from 1 to {WIDEST_BEAM}",
            cure="leave it out, or send a number within the limit",
        )
    return int(asked)


def placeholder_pattern_of(options: Mapping[str, str]) -> str | None:
    """Return the placeholders that the engine's options ask for as a pattern of RE2, or None.

    Raises PermanentError for what is no such pattern, too long, too large once compiled, or matches empty text.
    """
    asked = options.get(PATTERN_OPTION)
    if asked is None:
        return None
    if not 1 <= len(asked) <= LONGEST_PATTERN or not _is_pattern(asked):
        raise PermanentError(
            "bad_options",
            f"engine_options.{PATTERN_OPTION}, of {len(asked)} characters, is no pattern or matches no text",
            field=f"engine_options.{PATTERN_OPTION}",
            limit=f"1 to {LONGEST_PATTERN} characters, as RE2 writes patterns; no match of the empty text",
            cure="leave it out, or send a pattern within the limit",
        )
    return asked


def _is_pattern(asked: str) -> bool:
    options = re2.Options()
    options.max_mem, options.log_errors = _PATTERN_BYTES, False
    try:
        return re2.compile(asked, options).fullmatch("") is None
    except re2.error:
        return False
