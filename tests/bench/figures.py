"""What a benchmark found: its figures against their goals, its legs, and the file that keeps them.

A leg is one stretch of one side: the platform or a rival. Rivals are measured before and after the platform, so
that a machine that gets slower meanwhile slows both sides.
"""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from producers.cli.output import lines_of
from tests.servers import CHECKOUT

REGISTRY_SHARE = 0.9
FOLDER = CHECKOUT / ".dragoman" / "bench"


@dataclass(frozen=True)
class Figure:
    """One measured value and its goal: at least or at most so much; without either it is only told."""

    name: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def passed(self) -> bool:
        """Return whether the goal is reached."""
        enough = self.at_least is None or self.value >= self.at_least
        return enough and (self.at_most is None or self.value <= self.at_most)

    @property
    def goal(self) -> str:
        """Return the goal as text; empty without one."""
        if self.at_least is not None:
            return f"at least {self.at_least:,g}"
        return "" if self.at_most is None else f"at most {self.at_most:,g}"

    @property
    def text(self) -> str:
        """Return the value with its unit."""
        digits = 2 if abs(self.value) < 10 else 0
        return f"{self.value:,.{digits}f} {self.unit}".rstrip()


@dataclass(frozen=True)
class Leg:
    """One stretch of one side. `cpu_ms` is processor time by process over the whole stretch."""

    name: str
    answers: int
    seconds: float
    per_second: float
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    cpu_ms: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls, name: str, waits_ms: Sequence[float], seconds: float, cpu_ms: dict[str, float] | None = None
    ) -> "Leg":
        """Sum up answers that took so long each, in so many seconds together."""
        p50, p95 = nearest_rank(waits_ms, 0.5), nearest_rank(waits_ms, 0.95)
        count = len(waits_ms)
        return cls(name, count, round(seconds, 2), count / seconds, p50, p95, cpu_ms or {})

    @property
    def cpu_us_per_answer(self) -> dict[str, float]:
        """Return microseconds of processor per answer, by process, the dearest first."""
        shares = {name: round(ms * 1000 / self.answers, 1) for name, ms in self.cpu_ms.items()}
        return dict(sorted(shares.items(), key=lambda item: -item[1]))


@dataclass(frozen=True)
class Findings:
    """What one benchmark found."""

    figures: Sequence[Figure]
    legs: Sequence[Leg]

    @property
    def missed(self) -> list[Figure]:
        """Return the figures that do not reach their goals."""
        return [figure for figure in self.figures if not figure.passed]

    def write(self, name: str, options: dict[str, Any], load_before: float = 0.0) -> Path:
        """Write everything to `.dragoman/bench/NAME.json`; return its path.

        `load_before`: the load average of the minute before, which is what others used of the machine.
        """
        found = {
            "bench": name,
            "commit": commit(),
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "cores": os.cpu_count(),
            "load_before": round(load_before, 1),
            "options": options,
            "figures": [{**asdict(one), "goal": one.goal, "passed": one.passed} for one in self.figures],
            "legs": [{**asdict(leg), "cpu_us_per_answer": leg.cpu_us_per_answer} for leg in self.legs],
            "passed": not self.missed,
        }
        FOLDER.mkdir(parents=True, exist_ok=True)
        path = FOLDER / f"{name}.json"
        path.write_text(json.dumps(found, indent=2) + "\n")
        return path

    def lines(self) -> str:
        """Return the legs, the processor time of the platform and the figures as tables."""
        legs = [
            (leg.name, f"{leg.answers:,}", f"{leg.per_second:,.1f}/s", f"{leg.p50_ms:.0f}", f"{leg.p95_ms:.0f}")
            for leg in self.legs
        ]
        shares = [
            (leg.name, process, f"{us:,.0f}")
            for leg in self.legs
            for process, us in leg.cpu_us_per_answer.items()
            if us >= 1
        ]
        figures = [(one.name, one.text, one.goal, "" if one.passed else "MISSED") for one in self.figures]
        tables = (
            (("leg", "answers", "rate", "p50 ms", "p95 ms"), legs),
            (("leg", "process", "processor us per answer"), shares),
            (("figure", "value", "goal", ""), figures),
        )
        return "\n\n".join(lines_of(header, rows) for header, rows in tables if rows)


def registry_figure(with_registry: Leg, without: Leg) -> Figure:
    """Compare two legs of the platform that differ by a schema registry only."""
    share = with_registry.per_second / without.per_second
    return Figure("with a schema registry / without", share, "", at_least=REGISTRY_SHARE)


def mean(legs: Sequence[Leg]) -> float:
    """Return the mean of their rates."""
    return sum(leg.per_second for leg in legs) / len(legs)


def nearest_rank(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least that share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * round(share * 100) // 100) - 1)]


def commit() -> str:
    """Return the short hash of the checkout, with a plus sign where files differ from it."""
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
        cwd=CHECKOUT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return found.stdout.strip() or "unknown"
