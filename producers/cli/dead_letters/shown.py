"""Letters as lines and as JSON. What was sent stays hidden unless it is asked for."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from producers.cli.dead_letters.plans import RedrivePlan
from producers.cli.dead_letters.run import RedriveReport
from producers.cli.dead_letters.summary import DeadLetterSummary
from producers.cli.table import lines_of
from schemas import messages
from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.messages import DeadLetter
from schemas.records import InboundRecord
from schemas.topics import TopicPlan, catalogue

_HEADER = ("id", "failed at", "stage", "cause", "tenant", "request", "sentence", "attempt", "record")

Json = dict[str, Any]


def table_of(letters: Sequence[DeadLetterSummary]) -> str:
    """One line for each letter."""
    return lines_of(_HEADER, [_cells(letter) for letter in letters])


def dead_letter_json(letter: DeadLetter, shown_value: object) -> Json:
    """Everything of one letter; of its value the size, and `shown_value` where that is not None."""
    fields = asdict(letter) | {
        "key": _text(letter.key),
        "headers": {name: _text(value) for name, value in letter.headers.items()},
        "value_bytes": None if letter.value is None else len(letter.value),
        "failed_at": _moment(letter.failed_at),
        "timestamp": _moment(letter.timestamp),
    }
    del fields["value"]
    return fields if shown_value is None else {**fields, "value": shown_value}


def value_of(original: InboundRecord, codec: Codec, plan: TopicPlan) -> object:
    """The value as the message of its topic where it is one, else in hexadecimal digits."""
    kinds = {topic.name: topic.message for topic in catalogue(plan)}
    try:
        return asdict(codec.decode(original.value, getattr(messages, kinds[original.topic])))
    except (PermanentError, KeyError):
        return (original.value or b"").hex()


def lines_of_dead_letter(shown: Json) -> str:
    """Field by field."""
    rows = [(name, value if isinstance(value, str) else json.dumps(value)) for name, value in shown.items()]
    return lines_of((), [row for row in rows if row[1] != "null"])


def plan_line(plan: RedrivePlan) -> str:
    """What would be done about a plan's letters."""
    ids = ", ".join(letter.dead_letter_id for letter in plan.letters)
    return f"{ids}: version {plan.version}" if plan.version else ids


def report_json(report: RedriveReport) -> Json:
    """What became of each letter."""
    return {
        "sent": report.sent,
        "closed": [letter.dead_letter_id for letter in report.closed],
        "versions": {
            plan.letters[0].request_id: plan.version for plan in report.plans if plan.version is not None
        },
        "refused": [
            {"dead_letter_id": letter.dead_letter_id, "cause": error.cause, "message": error.message}
            for letter, error in report.refused
        ],
    }


def refusals_of(report: RedriveReport) -> list[str]:
    """One line for each letter that stays open, with what can be done about it."""
    return [
        f"{letter.dead_letter_id}: {error.message}{f'; {error.cure}' if error.cure else ''}"
        for letter, error in report.refused
    ]


def _cells(letter: DeadLetterSummary) -> tuple[str, ...]:
    return (
        letter.dead_letter_id,
        _moment(letter.failed_at),
        letter.stage,
        letter.cause,
        letter.tenant or "-",
        letter.request_id or "-",
        f"{letter.batch_number}/{letter.segment}" if letter.is_sentence else "-",
        str(letter.attempt),
        letter.place,
    )


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "backslashreplace")
