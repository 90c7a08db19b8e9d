"""Fill docs/performance.md from what the benchmarks wrote, and draw its figures: `make bench-report`.

The page's text stays, and in the tables between its two marks the rows of benches that have not run here; the
others are made anew from .dragoman/bench/*.json.
"""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from producers.cli.output import markdown_of
from tests.bench.figures import FOLDER, Figure
from tests.bench.plot import Bar, plot
from tests.servers import CHECKOUT

PAGE = CHECKOUT / "docs" / "performance.md"
PICTURE = CHECKOUT / "docs" / "performance.svg"
BENCHES = ("cached", "fat", "singles", "bulk", "document", "latency", "http", "books", "connections", "door")
IDLE = CHECKOUT / ".dragoman" / "idle.json"
FIGURES = ("figure", "measured", "goal", "", "command", "commit; load before")
LEGS = ("bench", "leg", "a second", "p50 ms", "p95 ms", "processor, us per answer")
BEGIN, END = "<!-- figures: make bench-report -->", "<!-- end -->"


Row = Sequence[str]
# Of the tables below: which bench a row is of.
_COMMAND, _BENCH = 4, 0
_MAKE = "make bench-"
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


def main() -> int:
    """Return 0 when something was written, 1 when no benchmark has run."""
    found = [json.loads(path.read_text()) for path in paths() if path.exists()] + idle()
    if not found:
        print(f"no file in {FOLDER}: run make bench", file=sys.stderr)
        return 1
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    old, _, after = rest.partition(END)
    kept = [row for row in map(cells_of, old.splitlines()) if row]
    names = {one["bench"] for one in found}
    figures = in_order([*figure_rows(found), *(row for row in kept if bench_of_figure(row) not in (None, *names))])
    legs = [*leg_rows(found), *(row for row in kept if not bench_of_figure(row) and row[_BENCH] not in names)]
    PAGE.write_text(f"{before}{BEGIN}\n{content(figures, in_order(legs))}\n{END}{after}")
    PICTURE.write_text(plot(list(bars(figures))))
    print(f"{PAGE} and {PICTURE} hold {len(found)} benchmarks anew")
    return 0


def paths() -> list[Path]:
    """Return where the benchmarks write."""
    return [FOLDER / f"{name}.json" for name in BENCHES]


def idle() -> list[dict[str, Any]]:
    """Return what tests/bench/idle.py wrote, in the form of the others; nothing before it has run."""
    if not IDLE.exists():
        return []
    found = json.loads(IDLE.read_text())
    figure = Figure(
        "idle stack, processor", found["total_ms_per_second"], "ms/s", at_most=found["goal_ms_per_second"]
    )
    return [{"bench": "idle", "figures": [asdict(figure)], "commit": found.get("commit", "")}]


def content(figures: Sequence[Row], legs: Sequence[Row]) -> str:
    """Return the table of the figures and the table of the legs behind them."""
    return f"\n{markdown_of(FIGURES, figures)}\n\nThe legs behind them:\n\n{markdown_of(LEGS, legs)}\n"


def figure_rows(found: Sequence[dict[str, Any]]) -> list[Row]:
    """Return a row for each figure."""
    return [
        (figure.name, figure.text, figure.goal, verdict(figure), f"`{_MAKE}{one['bench']}`", origin(one))
        for one in found
        for figure in figures_of(one)
    ]


def leg_rows(found: Sequence[dict[str, Any]]) -> list[Row]:
    """Return a row for each leg."""
    return [(one["bench"], *leg_cells(leg)) for one in found for leg in one.get("legs", ())]


def cells_of(line: str) -> Row:
    """Return the cells of a line of a table; nothing for any other line, a header and what is below it."""
    if not line.startswith("| ") or line.startswith("| ---"):
        return ()
    cells = tuple(one.strip() for one in line.strip("|").split("|"))
    return () if cells in (FIGURES, LEGS) else cells


def bench_of_figure(row: Row) -> str | None:
    """Return which bench a row of the first table is of; None for a row of the other one."""
    return row[_COMMAND].strip("`").removeprefix(_MAKE) if row[_COMMAND].startswith(f"`{_MAKE}") else None


def in_order(rows: Sequence[Row]) -> list[Row]:
    """Put the rows of each bench together, in the order of the benches."""
    order = (*BENCHES, "idle")
    return sorted(rows, key=lambda row: order.index(bench_of_figure(row) or row[_BENCH]))


def origin(one: dict[str, Any]) -> str:
    """Say which commit was measured, and how busy the machine was before."""
    return f"{one['commit']}; {one['load_before']:g}" if "load_before" in one else one.get("commit", "")


def leg_cells(leg: dict[str, Any]) -> tuple[str, ...]:
    """Return the cells of a leg."""
    waits = (f"{leg[name]:,.0f}" if leg[name] else "" for name in ("p50_ms", "p95_ms"))
    return leg["name"], f"{leg['per_second']:,.1f}", *waits, cpu(leg)


def figures_of(one: dict[str, Any]) -> Iterator[Figure]:
    """Read the figures of a file."""
    for figure in one["figures"]:
        yield Figure(figure["name"], figure["value"], figure["unit"], figure["at_least"], figure["at_most"])


def verdict(figure: Figure) -> str:
    """Say whether a goal is reached; nothing where there is none."""
    if not figure.goal:
        return ""
    return "reached" if figure.passed else "**missed**"


def cpu(leg: dict[str, Any]) -> str:
    """List the processes that take more than a hundredth of the sum, the dearest first."""
    shares: dict[str, float] = leg.get("cpu_us_per_answer", {})
    least = sum(shares.values()) / 100
    return ", ".join(f"{name} {us:,.0f}" for name, us in shares.items() if us > least)


def bars(figures: Sequence[Row]) -> Iterator[Bar]:
    """Return a bar for each figure with a goal: 1 is the goal, and longer is better."""
    for name, text, goal, *_ in figures:
        if not goal:
            continue
        value, wanted = _number(text), _number(goal)
        if goal.startswith("at most"):
            yield Bar(name, text, goal, wanted / max(value, 1e-9))
        elif wanted > 0:
            yield Bar(name, text, goal, value / wanted)


def _number(text: str) -> float:
    found = _NUMBER.search(text)
    return float(found[0].replace(",", "")) if found else 0.0


if __name__ == "__main__":
    sys.exit(main())
