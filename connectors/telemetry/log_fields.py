"""Name the request and its trace on the lines of the log, in the same fields everywhere.

A line that is about a request passes what it has: `job=` its key, `record=` the Kafka record in hand, `trace=` the
headers of one. This step of structlog makes of them `tenant`, `request_id`, `record` (its coordinates) and
`trace_id`, only of lines that are written, so a silent level costs nothing. Where one request is handled at a
time, `about` names it once for every line below, of whatever module.
"""

from collections.abc import Callable, MutableMapping
from contextlib import AbstractContextManager
from typing import Any

from structlog.contextvars import bound_contextvars

from schemas.ids import JobKey
from schemas.records import Headers, InboundRecord
from schemas.traces import trace_of

Line = MutableMapping[str, Any]


def from_process(process: str, instance: str) -> Callable[[Any, str, Line], Line]:
    """Return the step that names the process on every line, whichever of its threads logs it."""

    def name_process(_logger: Any, _method: str, line: Line) -> Line:
        line.update(process=process, instance=instance)
        return line

    return name_process


def name_request(_logger: Any, _method: str, line: Line) -> Line:
    """Replace what a line passed by the fields that it stands for. Never raises."""
    job, headers, record = line.pop("job", None), line.pop("trace", None), line.get("record")
    if isinstance(job, JobKey):
        line.update(job._asdict())
    if isinstance(record, InboundRecord):
        line["record"] = record.coordinates
        headers = headers or record.headers
    if headers and (found := trace_of(headers)):
        line["trace_id"] = found.trace_id
    return line


def about(job: JobKey, headers: Headers | None = None) -> AbstractContextManager[None]:
    """Name a request, and the trace of its headers, on every line that this thread logs inside the context."""
    found = trace_of(headers or {})
    return bound_contextvars(**job._asdict(), **({"trace_id": found.trace_id} if found else {}))
