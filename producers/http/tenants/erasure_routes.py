"""The routes of operators that erase all requests of a tenant, and tell how far that is."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from producers.http.admission.caller import TenantAdmin
from producers.http.moments import moment_of
from producers.http.ports import ports_of
from producers.http.problems import responses
from producers.http.translations.submission import Tenant
from schemas.errors import PermanentError
from schemas.tenant_erasures import ErasureStage, TenantErasure

router = APIRouter(tags=["tenants"])

_ERASE = "/api/v1/tenants/{tenant}/erase"

Named = Annotated[Tenant, Path(description="The name of the tenant.")]


class ErasureWish(BaseModel):
    """The confirmation that all requests of a tenant are meant."""

    model_config = ConfigDict(extra="forbid")

    confirm: str = Field(max_length=100, description="The name of the tenant once more.")


class TenantErasureResponse(BaseModel):
    """How far the erasure of a tenant is."""

    tenant: str
    status: ErasureStage = Field(
        description="WAITING for another tenant's, READING what Kafka holds, ORDERING; then ORDERED, FAILED or "
        "INTERRUPTED. After the last two, ask again: what is erased is not ordered twice."
    )
    requests: int | None = Field(description="Found that are not erased; null before all are found.")
    ordered: int = Field(description="Those whose orders Kafka has stored.")
    asked_at: datetime | None
    updated_at: datetime | None


@router.post(_ERASE, status_code=202)
async def erase_tenant(
    tenant: Named, wish: ErasureWish, caller: TenantAdmin, request: Request
) -> TenantErasureResponse:
    """Order all texts and files of every request of a tenant to be erased; suspend it first.

    202 says that it has begun: the requests and results that Kafka holds are read in the background, and each
    that is not erased is ordered to be.
    """
    if wish.confirm != tenant:
        raise PermanentError(
            "not_confirmed",
            f"confirm is not the name of the tenant {tenant}",
            field="confirm",
            limit=tenant,
            cure="repeat the name of the tenant whose requests are to be erased",
        )
    return _response(await ports_of(request).erasing.start(tenant, f"http:{caller.credential_id}"))


@router.get(_ERASE, responses=responses(404, 422))
async def read_tenant_erasure(tenant: Named, caller: TenantAdmin, request: Request) -> TenantErasureResponse:
    """Tell how far the last erasure of a tenant is. It is known for 30 days."""
    del caller
    found = await ports_of(request).erasing.look(tenant)
    if found is None:
        raise PermanentError(
            "no_erasure",
            f"no erasure of the tenant {tenant} is known",
            field="tenant",
            limit="30 days",
            cure="begin one by a POST to the same address",
        )
    return _response(found)


def _response(erasure: TenantErasure) -> TenantErasureResponse:
    return TenantErasureResponse(
        tenant=erasure.tenant,
        status=erasure.stage,
        requests=erasure.requests,
        ordered=erasure.ordered,
        asked_at=moment_of(erasure.asked_at),
        updated_at=moment_of(erasure.told_at),
    )
