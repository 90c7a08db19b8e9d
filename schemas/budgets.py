"""What a tenant has spent of its budget of a month, as the processes tell each other. Pure.

Money is Decimal, in US dollars. A month is written `2026-11` and is one of UTC.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Self


@dataclass(frozen=True)
class Spending:
    """What a tenant pays for the words of a month so far, and of how much.

    `stops`: when the budget is used up, requests are refused.
    """

    month: str
    spent: Decimal
    budget: Decimal
    stops: bool = False

    @property
    def share(self) -> Decimal:
        """Return what is spent, 1 for all of the budget."""
        return self.spent / self.budget

    @property
    def is_used_up(self) -> bool:
        """Tell whether nothing is left."""
        return self.spent >= self.budget

    def stops_at(self, now_ms: int) -> bool:
        """Tell whether requests are refused now: the budget is used up, stops, and is one of this month."""
        return self.stops and self.is_used_up and self.month == month_of(now_ms)

    def encode(self) -> str:
        """Return the text that `decode` reads."""
        return json.dumps([self.month, str(self.spent), str(self.budget), self.stops])

    @classmethod
    def decode(cls, text: str | bytes) -> Self:
        """Return what `encode` wrote."""
        month, spent, budget, stops = json.loads(text)
        return cls(month, Decimal(spent), Decimal(budget), bool(stops))


def month_of(now_ms: int) -> str:
    """Return the month of a moment in milliseconds since the epoch."""
    return f"{datetime.fromtimestamp(now_ms / 1000, UTC):%Y-%m}"
