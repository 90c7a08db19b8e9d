"""Measure what tenants have spent of their budgets, from the books, on a thread of the analytics process.

The sums are those of the view `billed`, so a budget, a bill and a report never differ. They are as old as the sink
is behind, plus the time between two measurements.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

import structlog

from connectors.telemetry import metrics
from schemas.budgets import Spending, month_of
from schemas.errors import DragomanError
from stream_apps.accounts.budgets import BudgetSettings
from stream_apps.runtime.repeating import repeating

log = structlog.get_logger()

# The month of the engine's clock could be another one at midnight.
_SPENT = """
    SELECT tenant, toString(sum(price)) AS spent FROM billed
    WHERE at >= toDateTime('{month}-01 00:00:00', 'UTC') GROUP BY tenant"""


class Written(Protocol):
    """Where the measurements go."""

    def write(self, spending: Mapping[str, Spending]) -> None:
        """Replace what was written before. Raises TransientError."""


class Books(Protocol):
    """The database."""

    def rows(self, sql: str) -> Sequence[Sequence[Any]]:
        """Return the rows of a query of our own. Raises TransientError."""


@dataclass
class BudgetMeter:
    """Measures, publishes and warns. `now_ms`: milliseconds since the epoch."""

    settings: BudgetSettings
    books: Books
    written: Written
    now_ms: Callable[[], int]
    _warned: dict[tuple[str, str], float] = field(default_factory=dict, init=False)

    def measure(self) -> dict[str, Spending]:
        """Measure, write it down, and log each share that a tenant has newly reached. Raises TransientError."""
        month = month_of(self.now_ms())
        rows = self.books.rows(_SPENT.format(month=month))
        spent = {str(tenant): Decimal(text) for tenant, text in rows}
        found = {
            tenant: Spending(month, spent.get(tenant, Decimal(0)), Decimal(str(own.dollars)), own.stops)
            for tenant, own in self.settings.monthly.items()
        }
        self.written.write(found)
        self._publish(found)
        return found

    def _publish(self, found: Mapping[str, Spending]) -> None:
        reached = {tenant: self._reached(one) for tenant, one in found.items()}
        used_up = sum(one.is_used_up for one in found.values())
        warned = sum(share > 0 for share in reached.values())
        metrics.BUDGETS.labels("used_up").set(used_up)
        metrics.BUDGETS.labels("warned").set(max(warned - used_up, 0))
        for tenant, share in reached.items():
            self._warn(tenant, found[tenant], share)

    def _reached(self, spending: Spending) -> float:
        """Return the highest warning share that is reached; 0 for none."""
        return max((share for share in self.settings.warning_shares if spending.share >= share), default=0.0)

    def _warn(self, tenant: str, spending: Spending, share: float) -> None:
        key = (tenant, spending.month)
        if share > self._warned.get(key, 0.0):
            log.warning(
                "budget_share_reached",
                tenant=tenant,
                month=spending.month,
                share=share,
                spent=f"{spending.spent:.2f}",
                budget=f"{spending.budget:.2f}",
                stops=spending.stops,
            )
        self._warned[key] = share


@contextmanager
def measuring(meter: BudgetMeter | None, every_seconds: float) -> Iterator[None]:
    """Measure at once and every so many seconds inside the context; None: there are no budgets."""
    if meter is None:
        yield
        return

    def turn() -> float:
        try:
            meter.measure()
        except DragomanError as error:
            log.warning("budgets_not_measured", error=str(error))
        return every_seconds

    with repeating("budgets", turn, 0.0):
        yield
