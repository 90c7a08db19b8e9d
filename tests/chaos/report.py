"""Report a run: a table for people, one JSON file for machines."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.chaos.recovery import Recoveries, percentile
from tests.chaos.verdict import Verdict

_KILL = "kill "
_MOST_EVIDENCE, _MOST_SHOWN = 50, 5
_LIMIT_SECONDS, _NEAR_LIMIT = 30.0, 0.7


@dataclass(frozen=True)
class Report:
    """`faults`: how often each kind happened. `left_out`: what this machine does not allow.

    `ended`: how many requests somebody wanted to end, how many of them were cancelled, how many erased.
    `evidence`: which requests and offsets broke an invariant.
    """

    verdict: Verdict
    faults: dict[str, int]
    recoveries: Recoveries
    requests: int
    seconds: float
    seed: int
    pace_seconds: float
    control: str | None
    ended: dict[str, int] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    evidence: dict[str, list[str]] = field(default_factory=dict)
    recovery_limit_seconds: float | None = None

    @property
    def is_good(self) -> bool:
        """Return whether every invariant held and every kind of fault kept the recovery limit, if there is one."""
        return self.verdict.is_good and not self.slow_kinds

    @property
    def slow_kinds(self) -> list[str]:
        """Return the kinds of fault whose recovery is above the limit; none without a limit."""
        limit = self.recovery_limit_seconds
        return [] if limit is None else self.recoveries.slow_kinds(limit)

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON. `kills` counts SIGKILLs only; `faults_by_kind` holds every fault."""
        kills = {name.removeprefix(_KILL): n for name, n in self.faults.items() if name.startswith(_KILL)}
        return {
            "kills": sum(kills.values()),
            "kills_by_kind": kills,
            "faults_by_kind": self.faults,
            "requests": self.requests,
            "ended": self.ended,
            **asdict(self.verdict),
            "recovery_seconds": self._recovery(),
            "recovery_limit_seconds": self.recovery_limit_seconds,
            "slow_kinds": self.slow_kinds,
            "slow_recoveries": self._slow_recoveries(),
            "never_recovered": self.recoveries.never,
            "pace_seconds": self.pace_seconds,
            "seconds": round(self.seconds, 1),
            "seed": self.seed,
            "control": self.control,
            "left_out": self.left_out,
            "evidence": {name: found[:_MOST_EVIDENCE] for name, found in self.evidence.items()},
        }

    def _recovery(self) -> dict[str, Any]:
        by_kind = {kind: _summary(found) for kind, found in self.recoveries.by_kind().items()}
        return {**_summary(one.seconds for one in self.recoveries.measured), "by_kind": by_kind}

    def _slow_recoveries(self) -> list[str]:
        """Return the recoveries near or above the limit, each with its start in seconds, for the logs."""
        found = self.recoveries.slower_than((self.recovery_limit_seconds or _LIMIT_SECONDS) * _NEAR_LIMIT)
        return [f"{one.kind} at {one.at_seconds:.0f} s: {one.seconds:.1f} s" for one in found[:_MOST_EVIDENCE]]


def write_json(report: Report, path: Path) -> None:
    """Write the report, replacing that of an earlier run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report.as_json(), indent=2) + "\n")


def show(report: Report, console: Console) -> None:
    """Print the verdict, every kind of fault with its recovery, and what broke an invariant."""
    found = report.as_json()
    console.print(_headline(report, found), soft_wrap=True)
    console.print(_verdict_table(report))
    console.print(_fault_table(report, found["recovery_seconds"]))
    for line in report.left_out:
        console.print(f"left out: {line}")
    for kind in report.slow_kinds:
        console.print(f"slower than {report.recovery_limit_seconds:g} s: {kind}", style="red")
    for name, examples in found["evidence"].items():
        if examples:
            console.print(f"{name}: {', '.join(examples[:_MOST_SHOWN])}", markup=False)


def _headline(report: Report, found: dict[str, Any]) -> str:
    outcome = "held" if report.verdict.is_good else "BROKEN"
    control = f", control {report.control}" if report.control else ""
    return (
        f"Invariants {outcome}: {found['requests']} requests, {found['kills']} kills, "
        f"one in {report.pace_seconds:g} s, {found['seconds']} s in all, seed {report.seed}{control}"
    )


def _verdict_table(report: Report) -> Table:
    table = Table("invariant", "violations")
    for name, count in asdict(report.verdict).items():
        table.add_row(name.replace("_", " "), str(count), style="red" if count else "green")
    return table


def _fault_table(report: Report, recovery: dict[str, Any]) -> Table:
    table = Table("fault", "times", "recovered p50", "p95", "max (s)")
    for kind, times in sorted(report.faults.items()):
        table.add_row(kind, str(times), *_cells(recovery["by_kind"].get(kind, {})))
    table.add_section()
    table.add_row("all", str(sum(report.faults.values())), *_cells(recovery))
    return table


def _cells(summary: dict[str, Any]) -> list[str]:
    return [str(summary.get(name, "-")) for name in ("p50", "p95", "max")]


def _summary(seconds: Iterable[float]) -> dict[str, float]:
    found = list(seconds)
    return {"p50": percentile(found, 0.5), "p95": percentile(found, 0.95), "max": percentile(found, 1.0)}
