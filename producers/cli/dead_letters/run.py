"""Carries out plans: what is sent again and the tombstones in one transaction, a few plans at a time."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from producers.cli.dead_letters.plans import RedrivePlan
from producers.cli.dead_letters.summary import DeadLetterSummary
from schemas.errors import PermanentError
from schemas.records import OutboundRecord

# Of one transaction. A single plan may have more: it is never divided.
_MOST_RECORDS, _MOST_BYTES = 500, 8_000_000

CommitRecords = Callable[[Sequence[OutboundRecord]], None]
DeadLetterGroup = Sequence[DeadLetterSummary]


@dataclass
class RedriveReport:
    """What became of the letters. `sent` counts records that were sent again."""

    plans: list[RedrivePlan] = field(default_factory=list)
    refused: list[tuple[DeadLetterSummary, PermanentError]] = field(default_factory=list)
    sent: int = 0

    @property
    def closed(self) -> list[DeadLetterSummary]:
        """The letters that have a tombstone now."""
        return [letter for plan in self.plans for letter in plan.letters]


def carry_out(groups: Iterable[DeadLetterGroup], plan_of: Callable[[DeadLetterGroup], RedrivePlan], commit: CommitRecords) -> RedriveReport:
    """Killed anywhere, each plan is done wholly or not at all. Raises TransientError or FatalError."""
    report = RedriveReport()
    waiting: list[OutboundRecord] = []
    for group in groups:
        try:
            plan = plan_of(group)
        except PermanentError as error:
            report.refused += [(letter, error) for letter in group]
            continue
        if waiting and _is_full([*waiting, *plan.records]):
            commit(waiting)
            waiting = []
        waiting += plan.records
        report.sent += len(plan.outputs)
        # The report needs no values, and there may be many plans.
        report.plans.append(RedrivePlan(plan.letters, (), plan.version))
    if waiting:
        commit(waiting)
    return report


def _is_full(records: Sequence[OutboundRecord]) -> bool:
    return len(records) > _MOST_RECORDS or sum(len(record.value or b"") for record in records) > _MOST_BYTES
