"""`webhooks`: what came of the webhooks of a job, deliver them again, the secrets to check them with."""

from typing import Annotated

import typer

from producers.cli.arguments import AsJson, parse_duration_ms
from producers.cli.errors import UsageError
from producers.cli.output import Json, lines_of, print_json
from producers.cli.target import open_api

_HEADER = ("webhook", "version", "state", "attempts", "last answer", "next attempt", "url")
_OVERLAP = "1d"

JobId = Annotated[str, typer.Argument(metavar="JOB_ID", help="The job, as `submit` printed it.")]
Url = Annotated[
    str | None,
    typer.Option(envvar="DRAGOMAN_API_URL", help="Address of the HTTP interface; the local one by default."),
]
Tenant = Annotated[str | None, typer.Option(help="Whose job it is, for operators.")]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Show and repeat webhooks; show and rotate their secrets.",
)


@app.command("list")
def list_deliveries(job_id: JobId, tenant: Tenant = None, url: Url = None, as_json: AsJson = False) -> None:
    """Show the webhooks of a job."""
    with open_api(url, tenant) as api:
        _show(api.deliveries(job_id), as_json)


@app.command("redeliver")
def redeliver(job_id: JobId, tenant: Tenant = None, url: Url = None, as_json: AsJson = False) -> None:
    """Deliver the webhooks of a job again, with the same ids."""
    with open_api(url, tenant) as api:
        _show(api.redeliver(job_id), as_json)


@app.command("secret")
def secret(
    rotate: Annotated[bool, typer.Option("--rotate", help="Make a new one first.")] = False,
    overlap: Annotated[
        str | None, typer.Option(help="With --rotate: how long the one before lives on: 0s, 1h, 7d (1d).")
    ] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Print the living secrets of the key's own tenant, the newest first."""
    if overlap is not None and not rotate:
        raise UsageError("--overlap is about the secret before a new one", "add --rotate, or leave it out")
    overlap_seconds = parse_duration_ms(overlap or _OVERLAP, "--overlap") // 1000
    with open_api(url) as api:
        found = api.rotate_webhook_secret(overlap_seconds) if rotate else api.webhook_secrets()
    if as_json:
        print_json(found)
        return
    for one in found:
        typer.echo(one["secret"])
        if one["expires_at"]:
            typer.echo(f"the last one expires at {one['expires_at']}", err=True)


def _show(found: list[Json], as_json: bool) -> None:
    if as_json:
        print_json(found)
    else:
        typer.echo(lines_of(_HEADER, [_cells(one) for one in found]))


def _cells(one: Json) -> tuple[str, ...]:
    last = one["last_attempts"][-1] if one["last_attempts"] else {}
    answer = str(last.get("status_code") or last.get("error") or "-")
    planned = one["next_attempt_at"] or "-"
    return one["webhook_id"], str(one["version"]), one["state"], str(one["attempts"]), answer, planned, one["url"]
