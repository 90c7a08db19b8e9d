"""`up`, `down`, `status`, `scale`, `restart`: the whole platform on this machine."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from connectors.redis.client import open_state
from connectors.redis.settings import RedisSettings
from deploy.local import main as local
from deploy.local.settings import StackSettings
from deploy.local.state_files import RunInfo
from producers.cli.arguments import AsJson
from producers.cli.errors import CommandError, NotRunningError
from producers.cli.output import lines_of, print_json
from producers.cli.target import Root, root_of, running
from schemas.errors import FatalError, TransientError
from stream_apps.runtime.state_watch import read_state_server

_READINESS_TIMEOUT_SECONDS = 2.0
_POLL_SECONDS = 0.1
# For stopping and becoming ready again.
_RESTART_TIMEOUT_SECONDS = 150.0


def up(
    detach: Annotated[bool, typer.Option("--detach", help="Return when everything is ready.")] = False,
    workers: Annotated[int | None, typer.Option(min=0, help="Worker processes; each needs a core.")] = None,
    observe: Annotated[bool, typer.Option("--observe", help="Prometheus and Alertmanager beside it.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete the data of earlier runs.")] = False,
    root: Root = None,
) -> None:
    """Start Kafka, Valkey, ClickHouse and the whole platform on this machine; Ctrl-C stops them."""
    given: dict[str, Any] = {"root": root, "workers": workers, "fresh": fresh or None, "observe": observe or None}
    settings = StackSettings(**{name: value for name, value in given.items() if value is not None})
    local.up(settings, detach=detach, on_progress=lambda name, state: typer.echo(f"{name}: {state}", err=True))
    if detach:
        typer.echo(_ready(running(root), stores_only=settings.stores_only))


def down(root: Root = None) -> None:
    """Stop everything; the data stays."""
    stopped = local.down(root_of(root))
    if not stopped:
        raise NotRunningError(f"nothing runs in {root_of(root)}", "start it: dragoman up")
    typer.echo(f"stopped {', '.join(stopped)}", err=True)


def scale(
    workers: Annotated[int | None, typer.Argument(min=0, help="How many worker processes to run.")] = None,
    auto: Annotated[bool, typer.Option("--auto", help="Let the autoscaler choose again.")] = False,
    root: Root = None,
) -> None:
    """Change the number of workers while everything runs; the autoscaler then keeps that number."""
    if (workers is None) is not auto:
        raise typer.BadParameter("give a number of workers, or --auto")
    running(root)
    if workers is None:
        local.scale_automatically(root_of(root))
    else:
        local.scale(root_of(root), workers)
    typer.echo("the autoscaler chooses" if workers is None else f"{workers} workers", err=True)


def restart(
    name: Annotated[str, typer.Argument(help="A process (worker-1), or all of a kind: worker, assembly, intake.")],
    root: Root = None,
) -> None:
    """Restart processes one after the other; each has to be ready before the next one stops."""
    before = running(root).processes
    for restarted in local.restart(root_of(root), name):
        _await_restart(root_of(root), restarted, before.get(restarted))
        typer.echo(f"{restarted}: restarted", err=True)


def _await_restart(root: Path, name: str, old_pid: int | None) -> None:
    end = time.monotonic() + _RESTART_TIMEOUT_SECONDS
    while True:
        run = local.read_run(root)
        if run.processes.get(name) not in (None, old_pid) and not _readiness(run.health_urls[name]):
            return
        if time.monotonic() > end:
            raise CommandError(f"{name} is not back", f"read {root / 'logs' / name}.log")
        time.sleep(_POLL_SECONDS)


def status(root: Root = None, as_json: AsJson = False) -> None:
    """Show what runs, where, and whether it is ready; exit with 1 where something is not."""
    run = running(root)
    ready = {name: _readiness(url) for name, url in run.health_urls.items()}
    fault = state_fault(run.redis_state_url)
    if as_json:
        print_json({**asdict(run), "readiness": ready, "state_fault": fault})
    else:
        typer.echo(_shown(run, ready, time.time()))
    if fault:
        raise CommandError(fault)
    waiting = sorted(name for name, reason in ready.items() if reason)
    if waiting:
        raise CommandError(f"not ready: {', '.join(waiting)}", f"read the logs in {root_of(root) / 'logs'}")


def state_fault(url: str) -> str:
    """Return why no process works with the state Redis at that address; empty where it is right or away."""
    with open_state(RedisSettings(state_url=url)) as state:
        try:
            read_state_server(state).check()
        except FatalError as error:
            return str(error)
        except TransientError:  # its processes say so themselves
            return ""
    return ""


def _ready(run: RunInfo, *, stores_only: bool) -> str:
    if stores_only:
        return f"Kafka and the Valkeys are ready, nothing of the platform runs; Kafka: {run.kafka_bootstrap}"
    return f"ready at {run.http_url}; try: dragoman translate 'Good morning.' --from en --to pt"


def _shown(run: RunInfo, ready: dict[str, str], now_seconds: float) -> str:
    facts = {
        "HTTP": run.http_url,
        "Kafka": run.kafka_bootstrap,
        "analytics": run.analytics_url,
        **({"Prometheus": run.prometheus_url, "Alertmanager": run.alertmanager_url} if run.prometheus_url else {}),
        "data": run.data_dir,
        "up for": f"{(now_seconds - run.started_at) / 60:.0f} min",
    }
    processes = [(name, str(pid), ready.get(name) or "ready") for name, pid in sorted(run.processes.items())]
    return "\n".join([lines_of((), list(facts.items())), "", lines_of(("process", "pid", "state"), processes)])


def _readiness(url: str) -> str:
    """Return why the process is not ready; an empty string when it is."""
    try:
        answer = httpx.get(f"{url}/ready", timeout=_READINESS_TIMEOUT_SECONDS)
    except httpx.RequestError:
        return "does not answer"
    return "" if answer.is_success else _reason_of(answer)


def _reason_of(answer: httpx.Response) -> str:
    """Return the reason that ours give; Prometheus, and what took the port of one of ours, give none."""
    try:
        return str(answer.json()["reason"])
    except (ValueError, KeyError, TypeError):
        return f"answers {answer.status_code}, without a reason"
