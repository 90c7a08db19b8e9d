"""Tell who is asking: the one place where what a request shows becomes a tenant with scopes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from producers.http.admission.accounts import Accounts
from schemas.accounts import Tenant
from stream_apps.accounts.refusals import ForbiddenError
from stream_apps.accounts.roles import Scope

_API_KEY_HEADER = "x-api-key"


@dataclass(frozen=True)
class Caller:
    """Somebody who sends HTTP requests. `account` is their tenant, whose limits hold for them."""

    account: Tenant
    scopes: frozenset[Scope]
    credential_id: str = ""

    @property
    def tenant(self) -> str:
        """Return the name of their tenant."""
        return self.account.tenant

    def tenant_for(self, named: str | None) -> str:
        """Return the tenant that a request is about. Raises ForbiddenError if the caller may not act for it."""
        if named is None or named == self.tenant or Scope.ADMIN_TENANTS in self.scopes:
            return named or self.tenant
        raise ForbiddenError(
            "foreign_tenant",
            "the tenant is not the caller's",
            field="tenant",
            limit=self.tenant,
            cure="leave the field out",
        )


async def caller_of(request: Request) -> Caller:
    """Return the caller of a request. Raises UnauthenticatedError, ForbiddenError, or TransientError."""
    return caller_showing(request, request.headers.get(_API_KEY_HEADER) or "")


def caller_showing(request: Request, api_key: str) -> Caller:
    """Return the caller who shows this key, or else the header Authorization. Raises as `caller_of` does."""
    accounts: Accounts = request.app.state.ports.accounts
    identity = accounts.identify(request.headers.get("authorization") or "", api_key)
    return Caller(identity.tenant, identity.scopes, identity.credential.credential_id)


async def counted_caller(request: Request, caller: Annotated[Caller, Depends(caller_of)]) -> Caller:
    """Return the caller of a request that is no submission. Raises TooManyRequestsError, too."""
    request.app.state.ports.accounts.count_read(caller.account)
    return caller


def caller_with(
    scope: Scope, known: Callable[..., Awaitable[Caller]] = counted_caller
) -> Callable[..., Awaitable[Caller]]:
    """Make the dependency of a route that needs the scope. It raises ForbiddenError for a caller without it."""

    async def allowed(caller: Annotated[Caller, Depends(known)]) -> Caller:
        check_scope(caller, scope)
        return caller

    return allowed


def check_scope(caller: Caller, scope: Scope) -> None:
    """Raise ForbiddenError for a caller without the scope."""
    if scope not in caller.scopes:
        raise ForbiddenError(
            "missing_scope",
            f"this key or user has no scope {scope}",
            field="Authorization",
            limit=", ".join(sorted(caller.scopes)) or "no scope",
            cure="use a key that has it; admins make one by POST /api/v1/keys or `dragoman keys create`",
        )


AnyCaller = Annotated[Caller, Depends(counted_caller)]
Reader = Annotated[Caller, Depends(caller_with(Scope.READ_TRANSLATIONS))]
Writer = Annotated[Caller, Depends(caller_with(Scope.WRITE_TRANSLATIONS))]
# Submissions are counted by what they ask for (tenant_shares.py).
Submitter = Annotated[Caller, Depends(caller_with(Scope.WRITE_TRANSLATIONS, caller_of))]
DocumentReader = Annotated[Caller, Depends(caller_with(Scope.READ_DOCUMENTS))]
DocumentSubmitter = Annotated[Caller, Depends(caller_with(Scope.WRITE_DOCUMENTS, caller_of))]
UsageReader = Annotated[Caller, Depends(caller_with(Scope.READ_USAGE))]
GlossaryWriter = Annotated[Caller, Depends(caller_with(Scope.WRITE_GLOSSARIES))]
KeyAdmin = Annotated[Caller, Depends(caller_with(Scope.ADMIN_KEYS))]
TenantAdmin = Annotated[Caller, Depends(caller_with(Scope.ADMIN_TENANTS))]
