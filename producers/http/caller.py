"""Tell who is asking: the one place where a caller becomes a tenant."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from schemas.errors import PermanentError


@dataclass(frozen=True)
class Caller:
    """Somebody who sends HTTP requests. `may_name_tenants`: acts for other tenants than its own, too."""

    tenant: str
    may_name_tenants: bool = False

    def tenant_for(self, named: str | None) -> str:
        """Return the tenant that a request is about. Raises PermanentError if the caller may not name it."""
        if named is None or named == self.tenant or self.may_name_tenants:
            return named or self.tenant
        raise PermanentError(
            "foreign_tenant",
            "the tenant is not the caller's",
            field="tenant",
            limit=self.tenant,
            cure="leave the field out",
        )


def caller_of(request: Request) -> Caller:
    """Return the caller of a request. There are no credentials yet: everybody may name the tenant who pays."""
    return Caller(request.app.state.limits.default_tenant, may_name_tenants=True)


CallerOfRequest = Annotated[Caller, Depends(caller_of)]
