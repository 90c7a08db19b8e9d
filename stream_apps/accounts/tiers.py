"""How much a tenant may ask for: the limits of its tier, and what its own record changes of them. Pure."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import SettingsConfigDict

from connectors.settings import Section
from schemas.accounts import Tenant
from schemas.errors import PermanentError
from schemas.shares import Limits

UNLIMITED = "unlimited"


class Tier(BaseModel):
    """The limits of one tier; 0: no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests_per_minute: int = Field(default=0, ge=0, description="Submissions; as many at once, then evenly.")
    reads_per_minute: int = Field(default=0, ge=0, description="All other calls, counted in each HTTP process.")
    characters_per_day: int = Field(default=0, ge=0, description="Of submitted texts; the day begins at 0:00 UTC.")
    requests_in_flight: int = Field(default=0, ge=0, description="Submissions that are not answered yet.")
    characters_in_flight: int = Field(default=0, ge=0, description="Of all of these together.")


class Tiers(Section):
    """DRAGOMAN_TIERS_*: the limits of each tier. A tenant's record may replace single numbers."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_TIERS_", frozen=True, extra="forbid")

    free: Tier = Field(
        default=Tier(
            requests_per_minute=10,
            reads_per_minute=120,
            characters_per_day=50_000,
            requests_in_flight=10,
            characters_in_flight=50_000,
        ),
        description="Of tenants that are on no other.",
    )
    premium: Tier = Field(
        default=Tier(
            requests_per_minute=100,
            reads_per_minute=1_200,
            characters_per_day=5_000_000,
            requests_in_flight=200,
            characters_in_flight=1_000_000,
        ),
        description="For those who pay.",
    )
    enterprise: Tier = Field(
        default=Tier(
            requests_per_minute=1_000,
            reads_per_minute=12_000,
            characters_per_day=100_000_000,
            requests_in_flight=2_000,
            characters_in_flight=3_000_000,
        ),
        description="For those who pay more.",
    )

    def of(self, tenant: Tenant) -> Limits:
        """Return the limits of a tenant; those of `free` for a tier that is not known."""
        tiers: Mapping[str, Tier] = {"free": self.free, "premium": self.premium, "enterprise": self.enterprise}
        tier = Tier() if tenant.tier == UNLIMITED else tiers.get(tenant.tier, self.free)
        own = {name: number for name, number in tenant.limits.items() if name in Tier.model_fields and number >= 0}
        return Limits(**(tier.model_dump() | own))


TIERS = (*Tiers.model_fields, UNLIMITED)


def parse_tier(tier: str) -> str:
    """Return the tier. Raises PermanentError for one that does not exist."""
    if tier not in TIERS:
        raise PermanentError(
            "unknown_tier",
            f"no tier is called {tier!r}",
            field="tier",
            limit=", ".join(TIERS),
            cure="name one of them",
        )
    return tier


def parse_limits(limits: Mapping[str, int]) -> dict[str, int]:
    """Return the numbers that replace those of a tier. Raises PermanentError for an unknown name or number."""
    for name, number in limits.items():
        if name not in Tier.model_fields or number < 0:
            raise PermanentError(
                "unknown_limit",
                f"the limit {name}={number} means nothing",
                field="limits",
                limit=f"{', '.join(Tier.model_fields)}, each 0 (no limit) or more",
                cure="name one of them",
            )
    return dict(limits)
