"""Who is asking: the one place where a caller becomes a tenant."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from schemas.errors import PermanentError


@dataclass(frozen=True)
class Caller:
    """An asker. `may_name_tenants`: it may ask for others too."""

    tenant: str
    may_name_tenants: bool = False

    def tenant_for(self, named: str | None) -> str:
        """The tenant that a request counts for. Raises PermanentError for one that is not the caller's."""
        if named is None or named == self.tenant or self.may_name_tenants:
            return named or self.tenant
        raise PermanentError(
            "foreign_tenant",
            "the tenant is not the caller's",
            field="tenant",
            limit=self.tenant,
            cure="leave the field out",
        )

    def may_see(self, tenant: str) -> bool:
        """Whether that tenant's jobs are the caller's business."""
        return self.may_name_tenants or tenant == self.tenant


def caller_of(request: Request) -> Caller:
    """Without credentials everybody is trusted to say who pays; the place where they will be checked."""
    return Caller(request.app.state.limits.default_tenant, may_name_tenants=True)


CallerOfRequest = Annotated[Caller, Depends(caller_of)]
