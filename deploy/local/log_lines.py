"""Read the lines of the stack's logs: JSON of ours, plain lines of Kafka and Valkey. Pure."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

LEVELS = ("debug", "info", "warning", "error", "critical")

_NAMES = {"warn": "warning", "fatal": "critical", "trace": "debug"}
# Kafka as its log4j2.yaml says; Valkey with a sign for the level. Both write local time without its zone.
_KAFKA = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) ([A-Z]+) (.*)")
_VALKEY = re.compile(r"\d+:[A-Z] (\d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d\.\d{3}) ([.\-*#]) (.*)")
_KAFKA_TIME, _VALKEY_TIME = "%Y-%m-%d %H:%M:%S,%f", "%d %b %Y %H:%M:%S.%f"
_END_MS = 253_370_764_800_000
_VALKEY_LEVELS = {".": "debug", "-": "debug", "*": "info", "#": "warning"}


@dataclass(frozen=True)
class LogLine:
    """A line of a process. `at_ms`: milliseconds since the epoch; where a line tells none, that of the one before.

    `fields` is what a JSON line says beside time, level and event.
    """

    process: str
    at_ms: int
    level: str
    event: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> str:
        """Return the line as JSON, in the fields that ours have."""
        at = datetime.fromtimestamp(self.at_ms / 1000).astimezone().isoformat(timespec="milliseconds")
        named = {"timestamp": at, "process": self.process, "level": self.level, "event": self.event}
        return json.dumps({**named, **self.fields}, ensure_ascii=False)


@dataclass(frozen=True)
class LogFilter:
    """Which lines are wanted; what is not set wants all. `level` is the lowest, `grep` is looked for in a line."""

    since_ms: int = 0
    processes: tuple[str, ...] = ()
    level: str | None = None
    request: str | None = None
    tenant: str | None = None
    trace: str | None = None
    grep: re.Pattern[str] | None = None

    def wants_process(self, name: str) -> bool:
        """Tell whether a process is wanted, by its name (worker-1) or its kind (worker)."""
        return not self.processes or name in self.processes or name.rpartition("-")[0] in self.processes

    def wants_text(self, text: str) -> bool:
        """Tell from the raw line whether it may be wanted; most are not, and need not be read then."""
        named = (self.request, self.tenant, self.trace)
        return all(one in text for one in named if one) and (self.grep is None or bool(self.grep.search(text)))

    def wants(self, line: LogLine) -> bool:
        """Tell whether a line is wanted."""
        by_name = {"request_id": self.request, "tenant": self.tenant, "trace_id": self.trace}
        return (
            line.at_ms >= self.since_ms
            and (self.level is None or LEVELS.index(line.level) >= LEVELS.index(self.level))
            and all(line.fields.get(name) == one for name, one in by_name.items() if one)
        )


def wanted_lines(process: str, texts: Iterable[str], wanted: LogFilter, at_ms: int) -> Iterator[LogLine]:
    """Return the wanted ones of the lines of a process, which are in the order of time, from `at_ms` on."""
    for text in texts:
        has_text = wanted.wants_text(text)
        # The time of a line that is not wanted holds for those behind it that have none, and a name.
        if has_text or wanted.grep:
            line = parse_line(process, text, at_ms)
            at_ms = line.at_ms
            if has_text and wanted.wants(line):
                yield line


def parse_line(process: str, text: str, before_ms: int = 0) -> LogLine:
    """Read a line; one that is neither JSON nor known is an event of level info. Never raises."""
    if text.startswith("{"):
        try:
            return _of_json(process, json.loads(text), before_ms)
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            return LogLine(process, before_ms, "info", text)
    if kafka := _KAFKA.fullmatch(text):
        return LogLine(process, _local_ms(kafka[1], _KAFKA_TIME, before_ms), _level(kafka[2]), kafka[3])
    if valkey := _VALKEY.fullmatch(text):
        at_ms = _local_ms(valkey[1], _VALKEY_TIME, before_ms)
        return LogLine(process, at_ms, _VALKEY_LEVELS[valkey[2]], valkey[3])
    return LogLine(process, before_ms, "info", text)


def _of_json(process: str, found: dict[str, Any], before_ms: int) -> LogLine:
    # The supervisor's lines have `at`, a state and no event.
    shown = found.pop("timestamp", None) or found.pop("at", None)
    at_ms = _known_ms(datetime.fromisoformat(shown), before_ms) if shown else before_ms
    level = _level(str(found.pop("level", "info")))
    event = str(found.pop("event", "") or "process_state")
    found.pop("process", None)
    return LogLine(process, at_ms, level, event, found)


def _level(name: str) -> str:
    known = _NAMES.get(name.lower(), name.lower())
    return known if known in LEVELS else "info"


def _local_ms(shown: str, form: str, before_ms: int) -> int:
    try:
        return _known_ms(datetime.strptime(shown, form).astimezone(), before_ms)
    except (ValueError, OverflowError):
        return before_ms


def _known_ms(at: datetime, before_ms: int) -> int:
    """Return a time that every zone can show; no process runs outside of these years."""
    at_ms = round(at.timestamp() * 1000)
    return at_ms if 0 <= at_ms < _END_MS else before_ms
