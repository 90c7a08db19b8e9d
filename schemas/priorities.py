"""The three priorities, their service levels, and the priority of a score from 0 to 100."""

from enum import StrEnum

from schemas.errors import PermanentError
from schemas.states import parse_member


class Priority(StrEnum):
    """Ordered from the most to the least urgent."""

    CRITICAL = "critical"
    HIGH = "high"
    STANDARD = "standard"


SLA_SECONDS = {Priority.CRITICAL: 30, Priority.HIGH: 120, Priority.STANDARD: 600}

# The lowest score that still belongs to the priority.
SCORE_FLOORS = {Priority.CRITICAL: 90, Priority.HIGH: 70, Priority.STANDARD: 0}
HIGHEST_SCORE = 100


def parse_priority(value: str) -> Priority:
    """Return the priority of that name. Raise PermanentError `unknown_priority` for any other name."""
    return parse_member(Priority, "priority", value)


def priority_of_score(score: int) -> Priority:
    """Map a score: 90-100 critical, 70-89 high, 0-69 standard. Raises PermanentError outside 0-100."""
    if not 0 <= score <= HIGHEST_SCORE:
        raise PermanentError(
            "score_out_of_range",
            f"score is {score}, outside 0 to {HIGHEST_SCORE}",
            field="score",
            limit=f"0 to {HIGHEST_SCORE}",
            cure="send a whole number from 0 to 100",
        )
    return next(priority for priority, floor in SCORE_FLOORS.items() if score >= floor)
