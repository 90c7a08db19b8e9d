"""The messages about the work: usage, dead letters, orders that end a request, states of workers and fleets."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, overload

from schemas.accounts import Credential, Tenant
from schemas.errors import PermanentError
from schemas.glossaries import Glossary
from schemas.messages import (
    Datum,
    Job,
    Message,
    RequestMessage,
    SegmentBatch,
    TranslatedBatch,
    TranslationRequest,
    TranslationResult,
    built,
)
from schemas.states import (
    ControlAction,
    OperationKind,
    ResultStatus,
    UsageKind,
    parse_member,
    parse_optional_member,
)


@dataclass(frozen=True, kw_only=True)
class UsageEvent:
    """Use that is counted: one row of a UsageBatch.

    BILLED: one per answer, in the transaction of its result. COMPUTE: what a worker did in a second for one
    tenant, priority, pair and model; it has no request_id.
    """

    event_id: str
    kind: UsageKind
    tenant: str = ""
    request_id: str = ""
    submitted_by: str = ""
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    request_kind: str = "text"
    content_type: str = "text/plain"
    priority: str = "standard"
    source_language: str = ""
    target_language: str = ""
    model: str = ""
    pool: str = "default"
    worker: str = ""
    device: str = "cpu"
    market: str = "on_demand"
    status: ResultStatus | None = None
    batches: int = 0
    units: int = 0
    segments: int = 0
    cached_segments: int = 0
    failed_segments: int = 0
    source_words: int = 0
    target_words: int = 0
    cached_words: int = 0
    source_characters: int = 0
    target_characters: int = 0
    busy_ms: float = 0.0
    queue_ms: float = 0.0
    latency_ms: float = 0.0
    sla_ms: int = 0
    at: int = 0


_USAGE_COLUMNS = tuple(field.name for field in dataclasses.fields(UsageEvent))


class UsageRows(Sequence[UsageEvent]):
    """Usage events as they come: a list for each field. An event is built when it is asked for."""

    def __init__(self, columns: Mapping[str, Sequence[Any]]) -> None:
        self.columns = columns
        """Equally long, by the names of the fields. Those that an older writer did not know are missing."""

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    @overload
    def __getitem__(self, at: int) -> UsageEvent: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[UsageEvent]: ...

    def __getitem__(self, at: int | slice) -> UsageEvent | Sequence[UsageEvent]:
        if isinstance(at, slice):
            return UsageRows({name: column[at] for name, column in self.columns.items()})
        if not -len(self) <= at < len(self):
            raise IndexError(at)
        return _usage_event({name: column[at] for name, column in self.columns.items()})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # it holds lists


@dataclass(frozen=True)
class UsageBatch(Message):
    """Usage events on the wire: one array for each field, all equally long."""

    events: Sequence[UsageEvent] = ()

    def to_datum(self) -> Datum:
        rows = list(map(vars, self.events))
        columns = {name: [row[name] for row in rows] for name in _USAGE_COLUMNS}
        names = {"kind": list(map(str, columns["kind"])), "status": [str(one or "") for one in columns["status"]]}
        return columns | names

    @property
    def rows(self) -> UsageRows:
        """Return the events as columns; of a batch that was decoded this costs nothing."""
        return self.events if isinstance(self.events, UsageRows) else UsageRows(self.to_datum())

    @classmethod
    def from_datum(cls, datum: Datum) -> Self:
        # An older writer does not know today's last fields: Avro gives empty arrays, and each event the default.
        columns = {name: datum[name] for name in _USAGE_COLUMNS if datum[name]}
        is_whole = not columns or {"event_id", "kind"} <= columns.keys()
        if not is_whole or len({len(column) for column in columns.values()}) > 1:
            raise PermanentError(
                "unequal_columns",
                "the arrays of the batch are not equally long",
                limit="one entry per event in every array",
                cure="send as many entries in each array as there are events",
            )
        for kind in set(columns.get("kind", ())):
            parse_member(UsageKind, "kind", kind)
        for status in set(columns.get("status", ())):
            parse_optional_member(ResultStatus, "status", status)
        return cls(UsageRows(columns))


def _usage_event(row: Datum) -> UsageEvent:
    kind = parse_member(UsageKind, "kind", row["kind"])
    status = parse_optional_member(ResultStatus, "status", row.get("status", ""))
    return UsageEvent(**{**row, "kind": kind, "status": status})


@dataclass(frozen=True, kw_only=True)
class DeadLetter(Message):
    """A record or segment that cannot be processed, with everything needed to send it again."""

    dead_letter_id: str
    stage: str
    cause: str
    message: str
    field: str | None = None
    limit: str | None = None
    cure: str | None = None
    attempt: int = 1
    request_id: str | None = None
    tenant: str | None = None
    batch_number: int | None = None
    segment: int | None = None
    unit: int | None = None
    place: str | None = None
    topic: str = ""
    partition: int = 0
    offset: int = 0
    timestamp: int = 0
    key: bytes | None = None
    value: bytes | None = None
    headers: Mapping[str, bytes] = dataclasses.field(default_factory=dict)
    failed_at: int = 0

    @property
    def coordinates(self) -> str:
        """Return `topic-partition-offset` of what failed."""
        return f"{self.topic}-{self.partition}-{self.offset}"


@dataclass(frozen=True, kw_only=True)
class JobControl(RequestMessage):
    """An order to end a whole request. It competes with the completion of the request: one of them answers."""

    action: ControlAction
    cause: str = ""
    message: str = ""
    field: str | None = None
    requested_by: str = ""
    job: Job | None = None
    at: int = 0

    def to_datum(self) -> Datum:
        return {**vars(self), "action": str(self.action), "job": self.job and self.job.to_datum()}

    @classmethod
    def from_datum(cls, datum: Datum) -> Self:
        action = parse_member(ControlAction, "action", datum["action"])
        return built(cls, datum, action=action, job=datum["job"] and Job.from_datum(datum["job"]))


@dataclass(frozen=True, kw_only=True)
class OperationEvent(Message):
    """What a process tells of itself for reports. Topic translation.operations, key = actor.

    WORKER: it was in `state` from `since` to `at`; each later event about the same state and `since` replaces the
    earlier ones. SCALING: `figures` and `priorities` tell what was known and is wanted.
    """

    event_id: str
    kind: OperationKind
    actor: str
    pool: str = "default"
    device: str = ""
    market: str = ""
    state: str = ""
    since: int = 0
    at: int = 0
    figures: Mapping[str, float] = dataclasses.field(default_factory=dict)
    priorities: Sequence[str] = ()

    def to_datum(self) -> Datum:
        return {**vars(self), "kind": str(self.kind)}

    @classmethod
    def from_datum(cls, datum: Datum) -> Self:
        return built(cls, datum, kind=parse_member(OperationKind, "kind", datum["kind"]))


MESSAGES: Mapping[str, type[Message]] = {
    one.__name__: one
    for one in (
        TranslationRequest,
        SegmentBatch,
        TranslatedBatch,
        TranslationResult,
        UsageBatch,
        DeadLetter,
        JobControl,
        OperationEvent,
        Tenant,
        Credential,
        Glossary,
    )
}
"""Every message by the name of its schema."""
