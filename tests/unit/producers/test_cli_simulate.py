"""`dragoman simulate`: the table of docs/autoscaling.md."""

from functools import partial

import pytest
from typer.testing import CliRunner

from deploy.autoscaler.simulation import Site
from producers.cli import simulate
from producers.cli.main import app


@pytest.fixture
def coarse(monkeypatch):
    """Decisions every half minute, so that a day takes little time."""
    monkeypatch.setattr(simulate, "Site", partial(Site, interval_seconds=30.0))


@pytest.mark.usefixtures("coarse")
def test_an_idle_day_saves_all_but_the_minimum():
    ran = CliRunner().invoke(app, ["simulate", "--min", "3", "--static", "30", "--startup", "1"])
    header, idle, *bursty = ran.stdout.splitlines()
    assert header.split("  ")[0] == "day"
    assert idle.split() == ["idle", "1.7M", "0.00%", "0.00%", "0.00%", "72.0", "90.0%", "0", "3"]
    assert [line.split("  ")[0] for line in bursty] == [f"bursty, seed {seed}" for seed in (1, 2, 3)]


def test_more_workers_at_least_than_at_most_are_wrong_usage():
    ran = CliRunner().invoke(app, ["simulate", "--min", "3", "--static", "2"])
    assert (ran.exit_code, ran.stderr) == (2, "dragoman: --min 3 is more than --static 2; give a smaller --min\n")
