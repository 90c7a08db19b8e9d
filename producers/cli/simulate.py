"""`simulate`: a day of the autoscaler on paper, as docs/autoscaling.md shows it."""

import math
from typing import Annotated

import typer

from deploy.autoscaler.decision import Policy
from deploy.autoscaler.simulation import PoolDay, SimulatedDay, Site, bursty_day, idle_day
from producers.cli.errors import UsageError
from producers.cli.output import lines_of
from schemas.priorities import Priority

_SEEDS = (1, 2, 3)
_HEADER = ("day", "words", "late: critical", "high", "standard", "replica-hours", "saving", "changes", "most")


def simulate(
    startup: Annotated[float, typer.Option(min=0, help="Seconds until a new worker is ready.")] = 45,
    minimum: Annotated[int, typer.Option("--min", min=0, help="Fewest workers.")] = 2,
    static: Annotated[int, typer.Option(min=1, help="Most workers, and the fleet it is compared with.")] = 20,
) -> None:
    """Simulate an idle day and three days with bursts; print what is late and what is saved."""
    if not math.isfinite(startup):
        raise UsageError(f"--startup is {startup}", "write seconds such as 45")
    if minimum > static:
        raise UsageError(f"--min {minimum} is more than --static {static}", "give a smaller --min")
    site, policy = Site(startup_seconds=startup), Policy(minimum, static)
    capacity = site.words_per_second * static
    days = {"idle": idle_day(), **{f"bursty, seed {seed}": bursty_day(capacity, seed) for seed in _SEEDS}}
    rows = [_cells(name, PoolDay(site, policy).run(load), static) for name, load in days.items()]
    typer.echo(lines_of(_HEADER, rows))


def _cells(name: str, outcome: SimulatedDay, static: int) -> tuple[str, ...]:
    return (
        name,
        f"{sum(outcome.words.values()) / 1e6:.1f}M",
        *(f"{outcome.late_share(priority):.2%}" for priority in Priority),
        f"{outcome.replica_hours:.1f}",
        f"{outcome.saving(static):.1%}",
        str(outcome.changes),
        str(outcome.most_replicas),
    )
