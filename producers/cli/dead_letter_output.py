"""Letters as lines and as JSON. What was sent stays hidden unless it is asked for."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from producers.cli.output import lines_of
from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.events import MESSAGES, DeadLetter
from schemas.records import InboundRecord
from schemas.topics import TopicPlan, catalogue
from stream_apps.redrive.open_dead_letters import DeadLetterSummary
from stream_apps.redrive.plans import RedrivePlan, RedriveReport

_HEADER = ("id", "failed at", "stage", "cause", "tenant", "request", "sentence", "attempt", "record")

Json = dict[str, Any]


def table_of(dead_letters: Sequence[DeadLetterSummary]) -> str:
    """One line for each letter."""
    return lines_of(_HEADER, [_cells(dead_letter) for dead_letter in dead_letters])


def dead_letter_json(dead_letter: DeadLetter, shown_value: object) -> Json:
    """Everything of one letter; of its value the size, and `shown_value` where that is not None."""
    fields = asdict(dead_letter) | {
        "key": _text(dead_letter.key),
        "headers": {name: _text(value) for name, value in dead_letter.headers.items()},
        "value_bytes": None if dead_letter.value is None else len(dead_letter.value),
        "failed_at": _moment(dead_letter.failed_at),
        "timestamp": _moment(dead_letter.timestamp),
    }
    del fields["value"]
    return fields if shown_value is None else {**fields, "value": shown_value}


def value_of(original: InboundRecord, codec: Codec, plan: TopicPlan) -> object:
    """The value as the message of its topic where it is one, else in hexadecimal digits."""
    kinds = {topic.name: topic.message for topic in catalogue(plan)}
    try:
        return dict(codec.decode(original.value, MESSAGES[kinds[original.topic]]).to_datum())
    except (PermanentError, KeyError):
        return (original.value or b"").hex()


def lines_of_dead_letter(shown: Json) -> str:
    """Field by field."""
    rows = [(name, value if isinstance(value, str) else json.dumps(value)) for name, value in shown.items()]
    return lines_of((), [row for row in rows if row[1] != "null"])


def plan_line(plan: RedrivePlan) -> str:
    """What would be done about a plan's letters."""
    ids = ", ".join(dead_letter.dead_letter_id for dead_letter in plan.dead_letters)
    return f"{ids}: version {plan.version}" if plan.version else ids


def report_json(report: RedriveReport) -> Json:
    """What became of each letter."""
    return {
        "sent": report.sent,
        "closed": [dead_letter.dead_letter_id for dead_letter in report.closed],
        "versions": {
            plan.dead_letters[0].request_id: plan.version for plan in report.plans if plan.version is not None
        },
        "refused": [
            {"dead_letter_id": dead_letter.dead_letter_id, "cause": error.cause, "message": error.message}
            for dead_letter, error in report.refused
        ],
    }


def refusals_of(report: RedriveReport) -> list[str]:
    """One line for each letter that stays open, with what can be done about it."""
    return [
        f"{dead_letter.dead_letter_id}: {error.message}{f'; {error.cure}' if error.cure else ''}"
        for dead_letter, error in report.refused
    ]


def _cells(dead_letter: DeadLetterSummary) -> tuple[str, ...]:
    return (
        dead_letter.dead_letter_id,
        _moment(dead_letter.failed_at),
        dead_letter.stage,
        dead_letter.cause,
        dead_letter.tenant or "-",
        dead_letter.request_id or "-",
        f"{dead_letter.batch_number}/{dead_letter.segment}" if dead_letter.is_sentence else "-",
        str(dead_letter.attempt),
        dead_letter.place,
    )


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "backslashreplace")
