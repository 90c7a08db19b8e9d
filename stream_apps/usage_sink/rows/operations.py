"""Turn what processes tell of themselves into rows of `worker_intervals` and `scale_decisions`. Pure."""

from collections.abc import Iterator, Mapping

from schemas.codec import Codec
from schemas.events import OperationEvent
from schemas.records import InboundRecord
from schemas.states import OperationKind, WorkerState, cut_at_full_hours, parse_member
from schemas.topics import DAY_MS
from schemas.validity import check_id, check_length, check_names, check_number
from stream_apps.usage_sink.inserting import Row
from stream_apps.usage_sink.rows.parts import TableRow, check_figures, check_time

# A worker tells of itself every few minutes, so one interval is never long.
_LONGEST_INTERVAL_MS = 2 * DAY_MS


def operation_rows(record: InboundRecord, codec: Codec, now_ms: int) -> Iterator[TableRow]:
    """Yield the intervals of a worker, or the decision to scale, of an event. Raises PermanentError."""
    event = codec.decode(record.value, OperationEvent)
    check_id("event_id", event.event_id)
    check_id("actor", event.actor)
    for field in ("pool", "device", "market", "state"):
        check_length(field, getattr(event, field))
    check_time("at", event.at, now_ms)
    check_figures("figures", event.figures)
    check_names("priorities", event.priorities)
    if event.kind is OperationKind.WORKER:
        yield from _intervals(event)
    else:
        yield "scale_decisions", _decision(event)


def _intervals(event: OperationEvent) -> Iterator[TableRow]:
    """Yield the interval cut at full hours, so that each row belongs to one hour."""
    state = parse_member(WorkerState, "state", event.state)
    check_number("since", event.since, least=event.at - _LONGEST_INTERVAL_MS, most=event.at)
    known = {"worker": event.actor, "pool": event.pool, "device": event.device, "market": event.market}
    for since, until in cut_at_full_hours(event.since, event.at):
        yield "worker_intervals", {**known, "state": str(state), "since": since, "until": until}


def _decision(event: OperationEvent) -> Row:
    counts = {name: int(event.figures.get(name, 0.0)) for name in ("replicas", "needed", "ready", "pending")}
    for name, count in counts.items():
        check_number(name, count)
    by_priority = ("backlog_words", "arriving_words_per_second", "oldest_seconds")
    return {
        "event_id": event.event_id,
        "pool": event.pool,
        "autoscaler": event.actor,
        "reason": event.state,
        **counts,
        **{name: event.figures.get(name, 0.0) for name in ("replica_words_per_second", "startup_seconds")},
        **{name: _of_priorities(event.figures, name) for name in by_priority},
        "out_of_reach": list(event.priorities),
        "at": event.at,
    }


def _of_priorities(figures: Mapping[str, float], name: str) -> dict[str, float]:
    """Return `priority -> figure` of the figures that are called `name.priority`."""
    start = f"{name}."
    return {key.removeprefix(start): figure for key, figure in figures.items() if key.startswith(start)}
