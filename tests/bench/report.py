"""Fill docs/performance.md from what the benchmarks wrote, and draw its figures: `make bench-report`.

The page's text stays; the table between its two marks is made anew from .dragoman/bench/*.json.
"""

import json
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
BEGIN, END = "<!-- figures: make bench-report -->", "<!-- end -->"


def main() -> int:
    """Return 0 when something was written, 1 when no benchmark has run."""
    found = [json.loads(path.read_text()) for path in paths() if path.exists()] + idle()
    if not found:
        print(f"no file in {FOLDER}: run make bench", file=sys.stderr)
        return 1
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{content(found)}\n{END}{after}")
    PICTURE.write_text(plot(list(bars(found))))
    print(f"{PAGE} and {PICTURE} hold {len(found)} benchmarks")
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
    return [{"bench": "idle", "figures": [asdict(figure)]}]


def content(found: Sequence[dict[str, Any]]) -> str:
    """Return the table of the figures and the table of the legs behind them."""
    figures = [
        (figure.name, figure.text, figure.goal, verdict(figure), f"`make bench-{one['bench']}`", origin(one))
        for one in found
        for figure in figures_of(one)
    ]
    legs = [(one["bench"], *leg_cells(leg)) for one in found for leg in one.get("legs", ())]
    first = markdown_of(("figure", "measured", "goal", "", "command", "commit; load before"), figures)
    header = ("bench", "leg", "a second", "p50 ms", "p95 ms", "processor, us per answer")
    return f"\n{first}\n\nThe legs behind them:\n\n{markdown_of(header, legs)}\n"


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


def bars(found: Sequence[dict[str, Any]]) -> Iterator[Bar]:
    """Return a bar for each figure with a goal: 1 is the goal, and longer is better."""
    for one in found:
        for figure in figures_of(one):
            if figure.at_least is not None and figure.at_least > 0:
                yield Bar(figure.name, figure.text, figure.goal, figure.value / figure.at_least)
            elif figure.at_most is not None:
                yield Bar(figure.name, figure.text, figure.goal, figure.at_most / max(figure.value, 1e-9))


if __name__ == "__main__":
    sys.exit(main())
