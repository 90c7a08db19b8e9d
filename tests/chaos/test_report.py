"""The report says what happened in a form that others can rely on."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from tests.chaos.recovery import Recoveries, Recovery, percentile
from tests.chaos.report import Report, show, write_json
from tests.chaos.verdict import Verdict

REPORT = Report(
    verdict=Verdict(1, 0, 0, 0, 0, 0),
    faults={"kill worker": 3, "kill kafka": 1, "freeze intake": 2},
    recoveries=Recoveries(
        [
            Recovery("kill worker", 1.0, 1.0),
            Recovery("kill worker", 5.0, 2.0),
            Recovery("kill worker", 9.0, 9.0),
            Recovery("kill kafka", 17.2, 12.0),
        ]
    ),
    requests=500,
    seconds=61.24,
    seed=7,
    pace_seconds=2.5,
    control=None,
    evidence={"lost": ["chaos-7-000001"], "duplicates": []},
)
GOOD = replace(REPORT, verdict=Verdict(0, 0, 0, 0, 0, 0))


def test_only_kills_count_as_kills_and_recoveries_are_told_by_kind(tmp_path: Path):
    write_json(REPORT, tmp_path / "deep" / "chaos.json")
    found = json.loads((tmp_path / "deep" / "chaos.json").read_text())

    assert (found["kills"], found["kills_by_kind"]) == (4, {"worker": 3, "kafka": 1})
    assert found["faults_by_kind"]["freeze intake"] == 2
    assert found["recovery_seconds"]["by_kind"]["kill worker"] == {"p50": 2.0, "p95": 9.0, "max": 9.0}
    assert found["recovery_seconds"]["max"] == 12.0
    assert (found["lost"], found["seconds"], found["seed"], found["control"]) == (1, 61.2, 7, None)
    assert found["pace_seconds"] == 2.5


def test_the_table_names_what_broke_an_invariant():
    console = Console(record=True, width=120)
    show(REPORT, console)
    shown = console.export_text()

    assert "Invariants BROKEN: 500 requests, 4 kills, one in 2.5 s, 61.2 s in all, seed 7" in shown
    assert "lost: chaos-7-000001" in shown


@pytest.mark.parametrize(
    ("limit_seconds", "never", "slow"),
    [
        (None, ["freeze intake"], []),
        (12.0, [], []),
        (11.9, [], ["kill kafka"]),
        (30.0, ["freeze intake"], ["freeze intake"]),
    ],
)
def test_a_run_with_a_recovery_limit_fails_where_a_kind_is_slower_or_never_works_again(limit_seconds, never, slow):
    recoveries = Recoveries(REPORT.recoveries.measured, never)
    report = replace(GOOD, recoveries=recoveries, recovery_limit_seconds=limit_seconds)

    assert report.as_json()["slow_kinds"] == slow
    assert report.is_good is not bool(slow)


def test_slow_recoveries_are_told_with_the_second_at_which_they_began():
    report = replace(GOOD, recovery_limit_seconds=12.0)

    assert report.as_json()["slow_recoveries"] == ["kill kafka at 17 s: 12.0 s", "kill worker at 9 s: 9.0 s"]


def test_the_95th_percentile_of_twenty_is_the_nineteenth():
    assert percentile([float(number) for number in range(1, 21)], 0.95) == 19.0


def test_a_percentile_of_nothing_is_nothing():
    assert (percentile([], 0.95), percentile([3.0, 1.0], 0.0), percentile([3.0, 1.0], 1.0)) == (0.0, 1.0, 3.0)
