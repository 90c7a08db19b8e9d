"""`tenants`: who asks and pays, on which tier, with which limits."""

from contextlib import closing
from dataclasses import asdict
from typing import Annotated

import typer

from connectors.kafka.producer import DurableProducer
from connectors.kafka.schema_registry import open_codec
from producers.cli.accounts import Name, account_store, change_now
from producers.cli.arguments import AsJson, DryRun
from producers.cli.errors import UsageError
from producers.cli.output import lines_of, print_json, progress_bars, time_text
from producers.cli.target import kafka_settings
from schemas.accounts import Tenant, TenantStatus
from stream_apps.accounts.changes import TenantChange, changed_tenant, new_tenant
from stream_apps.accounts.tiers import TIERS
from stream_apps.redrive.erasing import TenantEraser
from stream_apps.redrive.sources import read_topic
from stream_apps.runtime.process import now_ms

_HEADER = ("tenant", "name", "tier", "status", "limits", "made")
_MOST_DIGITS = 15

TenantName = Annotated[str, typer.Argument(metavar="TENANT", help="A DNS label: a-z, 0-9 and - inside.")]
TierOption = Annotated[str, typer.Option(help=f"{', '.join(TIERS)}.")]
NewTier = Annotated[str | None, typer.Option("--tier", help=f"{', '.join(TIERS)}.")]
LimitOption = Annotated[
    list[str] | None,
    typer.Option("--limit", help="Replace a number of the tier: requests_per_minute=50; 0: no limit. Repeatable."),
]
RetentionOption = Annotated[
    int | None,
    typer.Option(
        "--retention-days",
        min=0,
        max=36_500,
        help="Delete its stored texts and files after fewer days than DRAGOMAN_OBJECTS_JOB_DAYS; 0: as that says.",
    ),
]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Make, show, change and suspend tenants.",
)


@app.command("create")
def create(  # noqa: PLR0913, PLR0917  # one parameter per option
    tenant: TenantName,
    name: Name = "",
    tier: TierOption = "free",
    limit: LimitOption = None,
    retention_days: RetentionOption = None,
    as_json: AsJson = False,
) -> None:
    """Make a tenant."""
    wish = Tenant(tenant=tenant, name=name, tier=tier, limits=limits_of(limit), retention_days=retention_days or 0)
    change = change_now()
    account_store().change(lambda found: [new_tenant(found, wish, change)])
    _tell(tenant, "made", as_json)


@app.command("list")
def list_tenants(as_json: AsJson = False) -> None:
    """Show all tenants."""
    found = account_store().read().tenants()
    if as_json:
        print_json([asdict(one) for one in found])
    else:
        typer.echo(lines_of(_HEADER, [_cells(one) for one in found]))


@app.command("change")
def change_tenant(
    tenant: TenantName,
    tier: NewTier = None,
    limit: LimitOption = None,
    retention_days: RetentionOption = None,
    as_json: AsJson = False,
) -> None:
    """Put a tenant on another tier, replace single limits, or change how long its files are kept."""
    if tier is None and not limit and retention_days is None:
        raise UsageError("nothing would change", "give --tier, --limit or --retention-days")
    wish = TenantChange(tier=tier, limits=limits_of(limit), retention_days=retention_days)
    change = change_now()
    account_store().change(lambda found: [changed_tenant(found, tenant, wish, change)])
    _tell(tenant, "changed", as_json)


@app.command("suspend")
def suspend(tenant: TenantName, as_json: AsJson = False) -> None:
    """Refuse every call of a tenant by HTTP, until `resume`."""
    wish, change = TenantChange(status=TenantStatus.SUSPENDED), change_now()
    account_store().change(lambda found: [changed_tenant(found, tenant, wish, change)])
    _tell(tenant, "suspended", as_json)


@app.command("resume")
def resume(tenant: TenantName, as_json: AsJson = False) -> None:
    """Take calls of a suspended tenant again."""
    wish, change = TenantChange(status=TenantStatus.ACTIVE), change_now()
    account_store().change(lambda found: [changed_tenant(found, tenant, wish, change)])
    _tell(tenant, "active again", as_json)


@app.command("erase")
def erase(tenant: TenantName, is_dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Order all texts and files of every request of a tenant to be erased; suspend it first."""
    kafka, found, ordered = kafka_settings(), 0, 0
    with progress_bars(is_shown=not as_json) as bars, closing(DurableProducer(kafka)) as producer:
        eraser = TenantEraser(
            lambda topic: read_topic(kafka, topic), producer, open_codec(kafka), now_ms, kafka.tenants
        )
        for some in eraser.find(tenant):
            orders = () if is_dry_run else eraser.order(some.keys, change_now().by)
            found += len(some.keys)
            ordered += sum(1 for _ in bars.track(orders, "ordering"))
    if as_json:
        print_json({"tenant": tenant, "requests": found, "ordered": ordered})
    else:
        typer.echo(f"{found} requests of {tenant}, {ordered} ordered to be erased", err=True)


def limits_of(typed: list[str] | None) -> dict[str, int]:
    """Read NAME=NUMBER. Raises UsageError."""
    limits = {}
    for one in typed or ():
        name, _, number = one.partition("=")
        if not number.isascii() or not number.isdecimal():
            raise UsageError(f"--limit is {one[:80]!r}", "write it as requests_per_minute=50")
        if len(number) > _MOST_DIGITS:
            raise UsageError(
                f"--limit {name[:40]} has a number of {len(number)} digits",
                f"write {_MOST_DIGITS} at most; 0 is no limit",
            )
        limits[name.strip()] = int(number)
    return limits


def _cells(tenant: Tenant) -> tuple[str, ...]:
    limits = ", ".join(f"{name}={number}" for name, number in sorted(tenant.limits.items()))
    made = time_text(tenant.created_at)
    return tenant.tenant, tenant.name or "-", tenant.tier, tenant.status.lower(), limits or "-", made


def _tell(tenant: str, what: str, as_json: bool) -> None:
    if as_json:
        print_json({"tenant": tenant})
    else:
        typer.echo(f"{tenant}: {what}", err=True)
