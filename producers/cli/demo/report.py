"""The figures of a demo run: one frozen record, shown to people and written for scripts."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figures:
    """Words are source words; cost is compute cost at the configured prices."""

    words: int
    seconds: float
    words_per_minute: float
    engine_words_per_minute: float
    ratio: float
    requests: int
    results: int
    lost: int
    duplicates: int
    repeated_requests: int
    cache_hit_rate: float
    result_words: int
    clickhouse_words: int
    cost_usd: float
    document_words: int
    document_seconds: float
    p95_seconds: dict[str, float]

    def failures(self) -> list[str]:
        """What a user was promised and this run did not keep."""
        checks = {
            f"{self.lost} of {self.requests} requests have no answer": self.lost > 0,
            f"{self.duplicates} answers came twice": self.duplicates > 0,
            f"ClickHouse counts {self.clickhouse_words} words, the results hold {self.result_words}": (
                self.clickhouse_words != self.result_words
            ),
        }
        return [text for text, failed in checks.items() if failed]


def write(figures: Figures, path: Path) -> None:
    """As JSON, for scripts."""
    path.write_text(json.dumps(asdict(figures), indent=2) + "\n")


def show(figures: Figures, console: Console) -> None:
    """As tables, for people."""
    table = Table(title="What was measured", show_header=False)
    for name, value in _rows(figures):
        table.add_row(name, value)
    console.print(table)


def _rows(figures: Figures) -> list[tuple[str, str]]:
    p95 = ", ".join(f"{priority} {seconds:.1f} s" for priority, seconds in figures.p95_seconds.items())
    return [
        ("requests", f"{figures.requests} ({figures.repeated_requests} of them sent twice)"),
        ("answers", f"{figures.results}, lost {figures.lost}, duplicates {figures.duplicates}"),
        ("document", f"{figures.document_words:,} words in {figures.document_seconds:.1f} s"),
        ("all words", f"{figures.words:,} in {figures.seconds:.1f} s"),
        ("throughput", f"{figures.words_per_minute:,.0f} words a minute"),
        ("bare engine, same processes and text", f"{figures.engine_words_per_minute:,.0f} words a minute"),
        ("ratio", f"{figures.ratio:.2f}"),
        ("segments not translated anew", f"{figures.cache_hit_rate:.0%}"),
        ("95 % answered within", p95),
        ("words billed in ClickHouse", f"{figures.clickhouse_words:,}"),
        ("compute cost", f"${figures.cost_usd:.6f}"),
    ]


def show_usage(rows: list[dict[str, Any]], console: Console) -> None:
    """Usage as ClickHouse has it, a row per priority."""
    table = Table(title="Usage in ClickHouse")
    for name in rows[0] if rows else ():
        table.add_column(name.replace("_", " "))
    for row in rows:
        table.add_row(*map(str, row.values()))
    console.print(table)
