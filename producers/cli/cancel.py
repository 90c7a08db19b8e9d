"""`cancel`: ends a job through the HTTP interface."""

import json
from typing import Annotated

import typer

from producers.cli.api import Api, Json
from producers.cli.failures import CommandError
from producers.cli.follow import wait_for
from producers.cli.options import AsJson, Url
from producers.cli.running import http_url

_PATIENCE = 2


def cancel(
    job_id: Annotated[str, typer.Argument(metavar="ID", help="As `dragoman submit` printed it.")],
    url: Url = None,
    wait: Annotated[bool, typer.Option("--wait", help="Until the job is finished, one way or the other.")] = False,
    as_json: AsJson = False,
) -> None:
    """End a job that is not finished: its waiting work is skipped, its answer is CANCELLED."""
    with Api(http_url(url)) as api:
        job = api.cancel(job_id)
        if wait:
            job = wait_for(api, job_id, lambda _job: None, _PATIENCE)
    if as_json:
        typer.echo(json.dumps(job, ensure_ascii=False))
    if job["is_finished"]:
        _check_cancelled(job)
    if not as_json:
        typer.echo("cancelled" if job["is_finished"] else "cancellation ordered", err=True)


def _check_cancelled(job: Json) -> None:
    if job["status"] != "CANCELLED":
        raise CommandError(
            f"too late: the job is {job['status']}", f"read it with: dragoman result {job['job_id']}"
        )
