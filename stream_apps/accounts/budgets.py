"""Refuse the requests of a tenant whose budget of the month is used up; read what the analytics process wrote.

One process measures (stream_apps/usage_sink/spending.py); HTTP and intake only read, so they refuse alike. What
they know is `read_seconds` old. While the state Redis is away they go by what they knew: an outage refuses nobody
who was not refused before.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_settings import SettingsConfigDict

from connectors.settings import Section
from schemas.budgets import Spending, month_of
from schemas.errors import PermanentError, TransientError

log = structlog.get_logger()


class Budget(BaseModel):
    """The budget of one tenant."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dollars: float = Field(gt=0, description="US dollars of a month (UTC), at the prices of words.")
    stops: bool = Field(default=False, description="Used up, it ends the acceptance of requests for this month.")


class BudgetSettings(Section):
    """DRAGOMAN_BUDGETS_*: what tenants may spend in a month. Analytics measures, HTTP and intake refuse."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_BUDGETS_", frozen=True, extra="forbid")

    monthly: dict[str, Budget] = Field(
        default_factory=dict,
        description="JSON: tenant -> budget. Read by analytics; without one nothing is measured.",
    )
    warning_shares: tuple[float, ...] = Field(
        default=(0.5, 0.8, 1.0),
        description="Shares of a budget at which a warning is logged and counted; 1: all of it.",
    )
    measure_seconds: float = Field(default=60.0, gt=0, description="How often analytics asks the books.")
    read_seconds: float = Field(default=5.0, ge=0, description="How old the knowledge of HTTP and intake may be.")

    @field_validator("warning_shares")
    @classmethod
    def _are_shares(cls, shares: tuple[float, ...]) -> tuple[float, ...]:
        if any(share <= 0 for share in shares):
            raise ValueError("shares are more than 0; 0.8 is four fifths")
        return tuple(sorted(shares))


class BudgetUsedUpError(PermanentError):
    """A tenant has spent its budget of the month, and its budget stops."""

    def __init__(self, tenant: str, spending: Spending) -> None:
        super().__init__(
            "budget_used_up",
            f"the budget of {tenant} for {spending.month} is used up",
            field="tenant",
            limit=f"{spending.budget:f} US dollars a month (UTC)",
            cure="wait for the next month, or have operators raise it in DRAGOMAN_BUDGETS_MONTHLY",
        )


class Budgets(Protocol):
    """Tells whether a tenant may spend more."""

    async def check(self, tenant: str) -> None:
        """Raise BudgetUsedUpError where it may not."""

    async def spending(self, tenant: str) -> Spending | None:
        """Return what it has spent of its budget this month; None where it has no budget, or nobody measured."""


class SpendingSource(Protocol):
    """Where the analytics process writes."""

    async def read(self) -> Mapping[str, Spending]:
        """Return what each tenant with a budget has spent. Raises TransientError."""


class NoBudgets:
    """Everybody may spend as much as they like."""

    async def check(self, tenant: str) -> None:
        """Refuse nobody."""

    async def spending(self, tenant: str) -> Spending | None:  # noqa: ARG002  # the protocol's
        """Know of no budget."""
        return None


@dataclass
class MeasuredBudgets:
    """Goes by what was measured. `now_ms`: milliseconds since the epoch. For one event loop."""

    source: SpendingSource
    read_seconds: float
    now_ms: Callable[[], int]
    _known: Mapping[str, Spending] = field(default_factory=dict, init=False)
    _read_at: float = field(default=float("-inf"), init=False)

    async def check(self, tenant: str) -> None:
        spending = await self.spending(tenant)
        if spending and spending.stops_at(self.now_ms()):
            raise BudgetUsedUpError(tenant, spending)

    async def spending(self, tenant: str) -> Spending | None:
        now_ms = self.now_ms()
        if now_ms - self._read_at >= self.read_seconds * 1000:
            # First: requests that come meanwhile need not ask too, and a Redis that hangs costs one of them only.
            self._read_at = now_ms
            await self._read()
        spending = self._known.get(tenant)
        return spending if spending and spending.month == month_of(now_ms) else None

    async def _read(self) -> None:
        try:
            self._known = await self.source.read()
        except TransientError as error:
            log.warning("budgets_not_read", error=str(error))
