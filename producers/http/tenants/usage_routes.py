"""The route of usage: what a tenant has used, by day, language pair or label."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from producers.http.admission.caller import Caller, UsageReader
from producers.http.blocking.usage import By, UsageQuestion, today
from producers.http.ports import Ports
from producers.http.problems import responses
from producers.http.translations.submission import Tenant
from schemas.errors import PermanentError

router = APIRouter(tags=["usage"])

_MOST_DAYS = 400


class UsageFilter(BaseModel):
    """Which usage is wanted."""

    model_config = ConfigDict(extra="forbid")

    since: date | None = Field(default=None, description="First day, UTC; else the first of this month.")
    until: date | None = Field(default=None, description="Last day, UTC; else today.")
    by: By = Field(default=By.DAY, description="What each row is about.")
    label: str | None = Field(
        default=None, pattern=r"^[^\x00-\x1f'\\]{1,200}$", description="With by=label: the label to group by."
    )
    tenant: Tenant | None = Field(default=None, description="For callers who may act for several tenants.")


class UsageRow(BaseModel):
    """What was billed under one name."""

    name: str = Field(description="A day, a pair such as en-pt, or a value of the label; empty: without it.")
    requests: int
    words: int = Field(description="Of the source; those of corrections are added.")
    characters: int = Field(description="Code points of the source.")


class UsageResponse(BaseModel):
    """What a tenant has used. Answers are counted a few seconds after they were given."""

    tenant: str
    since: date
    until: date
    by: By
    rows: list[UsageRow]
    words: int = Field(description="Of all rows.")
    characters: int = Field(description="Of all rows.")
    characters_per_day: int | None = Field(description="The tenant's limit of a day; null: none.")


@router.get("/api/v1/usage", responses=responses(401, 403, 422, 429, 503))
async def read_usage(
    wanted: Annotated[UsageFilter, Query()], caller: UsageReader, request: Request
) -> UsageResponse:
    """Show what the caller's tenant has used, from the books: 503 while they cannot be read."""
    ports: Ports = request.app.state.ports
    question = _question(wanted, caller, today(ports.now_ms()))
    rows = [UsageRow.model_validate(row) for row in await ports.books.usage(question)]
    return UsageResponse(
        **{name: getattr(question, name) for name in ("tenant", "since", "until", "by")},
        rows=rows,
        words=sum(row.words for row in rows),
        characters=sum(row.characters for row in rows),
        characters_per_day=_characters_per_day(question.tenant, ports),
    )


def _characters_per_day(tenant: str, ports: Ports) -> int | None:
    # A suspended tenant has used something, too.
    account = ports.accounts.directory.tenant(tenant)
    return (account and ports.accounts.limits(account).characters_per_day) or None


def _question(wanted: UsageFilter, caller: Caller, this_day: date) -> UsageQuestion:
    since, until = wanted.since or this_day.replace(day=1), wanted.until or this_day
    if (wanted.by is By.LABEL) != (wanted.label is not None):
        raise PermanentError(
            "no_label",
            "by=label and label=NAME belong together",
            field="label",
            limit="both or neither",
            cure="send by=label&label=NAME, where NAME is a key of the labels of your requests",
        )
    if not 0 <= (until - since).days < _MOST_DAYS:
        raise PermanentError(
            "bad_period",
            f"since is {since} and until {until}",
            field="since",
            limit=f"since not after until, {_MOST_DAYS} days at most",
            cure="ask for a shorter time, in several calls",
        )
    return UsageQuestion(caller.tenant_for(wanted.tenant), since, until, wanted.by, wanted.label or "")
