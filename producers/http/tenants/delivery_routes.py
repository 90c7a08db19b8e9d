"""The routes of webhooks: what came of them, deliver again, and the secrets that receivers check them with."""

from collections.abc import Sequence
from datetime import UTC, datetime

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from producers.http.admission.accounts import Accounts
from producers.http.admission.caller import KeyAdmin
from producers.http.errors import not_found
from producers.http.moments import moment_of
from producers.http.ports import ports_of
from producers.http.problems import responses
from producers.http.translations.routes import JobToChange, JobToRead
from schemas.deliveries import Delivery
from schemas.errors import PermanentError
from schemas.ids import JobKey
from stream_apps.accounts.changes import Change
from stream_apps.accounts.webhook_secrets import WebhookSecrets, rotated

router = APIRouter(tags=["webhooks"])

_DELIVERIES = "/api/v1/translations/{job_id}/deliveries"
_SECRET = "/api/v1/webhooks/secret"
_LONGEST_OVERLAP_SECONDS = 30 * 24 * 3600


class AttemptResponse(BaseModel):
    """One POST to the callback."""

    at: datetime
    status_code: int | None = Field(description="Null where no answer came.")
    error: str | None = Field(
        description="Why none came: timeout, private_address, unknown_host, ConnectError ..."
    )
    seconds: float


class DeliveryResponse(BaseModel):
    """How the webhook of one version of a result stands."""

    webhook_id: str = Field(description="As in the header webhook-id; a repeat has the same.")
    version: int
    url: str
    state: str = Field(description="pending, delivered or given_up.")
    attempts: int = Field(description="How many there were.")
    next_attempt_at: datetime | None
    last_attempts: list[AttemptResponse] = Field(description="The last of them, the oldest first.")


class SecretResponse(BaseModel):
    """A secret with which webhooks are signed (Standard Webhooks)."""

    secret: str
    created_at: datetime | None
    expires_at: datetime | None


class SecretRotation(BaseModel):
    """How the secret before goes on."""

    model_config = ConfigDict(extra="forbid")

    overlap_seconds: int = Field(
        default=86_400,
        strict=True,
        ge=0,
        le=_LONGEST_OVERLAP_SECONDS,
        description="Webhooks are signed by both for so long.",
    )


@router.get(_DELIVERIES, responses=responses(404))
async def list_deliveries(job: JobToRead, request: Request) -> list[DeliveryResponse]:
    """Show the webhooks of a job, one for each version of its result. 404 also for a job without any yet."""
    return [_delivery_response(one) for one in await _found(job, request)]


@router.post(f"{_DELIVERIES}/redeliver", status_code=202, responses=responses(404))
async def redeliver(job: JobToChange, request: Request) -> list[DeliveryResponse]:
    """Deliver the webhooks of a job again, with the same ids; their retries begin anew."""
    ports = ports_of(request)
    again = [one.again(ports.now_ms()) for one in await _found(job, request)]
    for one in again:
        await ports.deliveries.settle(one)
    return [_delivery_response(one) for one in again]


@router.get(_SECRET, responses=responses(422))
async def read_secrets(caller: KeyAdmin, request: Request) -> list[SecretResponse]:
    """Show the living secrets of one's own tenant, the newest first. A webhook has a signature by each."""
    return _secrets(caller.tenant, request)


@router.post(f"{_SECRET}/rotate", status_code=201, responses=responses(422))
async def rotate_secret(wish: SecretRotation, caller: KeyAdmin, request: Request) -> list[SecretResponse]:
    """Make a new secret; those before it live on for the overlap."""
    accounts = _accounts(request)
    _signing(request)
    change = Change(f"http:{caller.credential_id}", accounts.now_ms())
    await accounts.change(lambda found: rotated(found, caller.tenant, wish.overlap_seconds * 1000, change))
    return _secrets(caller.tenant, request)


async def _found(job: JobKey, request: Request) -> Sequence[Delivery]:
    """Return the deliveries of a job. Raises PermanentError where there are none."""
    found = await ports_of(request).deliveries.of_job(job)
    if not found:
        raise not_found(job.request_id)
    return found


def _secrets(tenant: str, request: Request) -> list[SecretResponse]:
    accounts = _accounts(request)
    found = _signing(request).shown(accounts.directory, tenant, accounts.now_ms())
    return [
        SecretResponse(secret=one.text, created_at=moment_of(one.created_at), expires_at=moment_of(one.expires_at))
        for one in found
    ]


def _signing(request: Request) -> WebhookSecrets:
    signing = ports_of(request).signing
    if signing is None:
        raise PermanentError(
            "no_webhooks",
            "this platform signs no webhooks",
            limit="none",
            cure="ask its operators to set DRAGOMAN_SIGNING_SECRETS_FILE",
        )
    return signing


def _accounts(request: Request) -> Accounts:
    return ports_of(request).accounts


def _delivery_response(one: Delivery) -> DeliveryResponse:
    return DeliveryResponse(
        webhook_id=one.key.webhook_id,
        version=one.key.version,
        url=one.url,
        state=one.state,
        attempts=one.count,
        next_attempt_at=moment_of(one.due_at),
        last_attempts=[
            AttemptResponse(
                at=moment_of(attempt.at) or datetime.fromtimestamp(0, UTC),
                status_code=attempt.status_code or None,
                error=attempt.error or None,
                seconds=attempt.seconds,
            )
            for attempt in one.attempts
        ],
    )
