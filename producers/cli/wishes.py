"""What a user may wish of a translation beside its languages, and how it is sent. Asks no server."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Literal

import typer

from producers.cli.arguments import parse_future_ms
from producers.cli.errors import UsageError
from producers.cli.output import Json

Bilingual = Literal["xliff", "tmx", "html", "csv"]
Late = Literal["expire", "serve"]
Names = list[str] | None

_SCORE_DIGITS = 3

GlossaryOption = Annotated[
    Names, typer.Option("--glossary", help="NAME or NAME@VERSION; may be repeated, the first one decides.")
]
PriorityOption = Annotated[str, typer.Option(help="critical, high, standard, or a score from 0 to 100.")]
KeptWords = Annotated[
    Names, typer.Option("--do-not-translate", metavar="WORDS", help="Stay as they are; may be repeated.")
]
Labels = Annotated[
    Names, typer.Option("--label", metavar="NAME=VALUE", help="For reports of usage; may be repeated.")
]
Callback = Annotated[
    str | None, typer.Option(metavar="URL", help="Told by a signed POST when the job is finished.")
]
Deadline = Annotated[
    str | None, typer.Option(help="When a result is useless: a time (ISO 8601, UTC), or 90s, 30m, 2h from now.")
]
LatePolicy = Annotated[Late | None, typer.Option("--late-policy", help="Once the deadline has passed.")]
FilterOptions = Annotated[
    Names,
    typer.Option("--filter-option", metavar="NAME=VALUE", help="Of the format, as columns=2; may be repeated."),
]
EngineOptions = Annotated[
    Names, typer.Option("--engine-option", metavar="NAME=VALUE", help="Of the engine; may be repeated.")
]


@dataclass(frozen=True)
class Wishes:
    """The wishes of one command, as they were typed. `now_ms`: milliseconds since the epoch."""

    priority: str = "standard"
    glossaries: Sequence[str] | None = None
    do_not_translate: Sequence[str] | None = None
    labels: Sequence[str] | None = None
    callback: str | None = None
    deadline: str | None = None
    late_policy: str | None = None
    filter_options: Sequence[str] | None = None
    engine_options: Sequence[str] | None = None
    now_ms: int = field(default=0, compare=False)

    def as_json(self) -> Json:
        """Return the fields of a submission that were wished for. Raises UsageError, which names the option."""
        is_score = self.priority.isdecimal() and len(self.priority) <= _SCORE_DIGITS
        score = int(self.priority) if is_score else self.priority
        return {"priority": score, **self._texts(), **self._maps()}

    def as_form(self) -> Json:
        """Return the same as fields of a form, whose maps are JSON. Raises UsageError."""
        maps = {name: json.dumps(found, sort_keys=True) for name, found in self._maps().items()}
        return {"priority": self.priority, **self._texts(), **maps}

    def _texts(self) -> Json:
        wished = {
            "glossaries": list(self.glossaries or ()),
            "do_not_translate": list(self.do_not_translate or ()),
            "callback": self.callback,
            "deadline": self._deadline(),
            "late_policy": self.late_policy,
        }
        return {name: found for name, found in wished.items() if found}

    def _maps(self) -> dict[str, dict[str, str]]:
        wished = {
            "labels": _pairs(self.labels, "--label"),
            "filter_options": _pairs(self.filter_options, "--filter-option"),
            "engine_options": _pairs(self.engine_options, "--engine-option"),
        }
        return {name: found for name, found in wished.items() if found}

    def _deadline(self) -> str | None:
        if self.deadline is None:
            return None
        at_ms = parse_future_ms(self.deadline, "--deadline", self.now_ms)
        return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()


def _pairs(typed: Sequence[str] | None, option: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in typed or ():
        name, equals, value = one.partition("=")
        if not (name and equals):
            raise UsageError(f"{option} is {one[:40]!r}, which is no NAME=VALUE", f"write {option} project=alpha")
        found[name] = value
    return found
