"""`dragoman reconcile`: how far back, and what is said of what was found."""

import pytest
from typer.testing import CliRunner

from producers.cli.errors import UsageError
from producers.cli.main import app
from producers.cli.reconcile import moment_ms, shown
from stream_apps.repair.reconcile import ReconcileReport

NOW_SECONDS = 1_700_000_000.0


@pytest.mark.parametrize(
    ("since", "ago_seconds"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("1.5h", 5400), ("7d", 604_800)]
)
def test_a_span_counts_back_from_now(since, ago_seconds):
    assert moment_ms(since, NOW_SECONDS) == (NOW_SECONDS - ago_seconds) * 1000


@pytest.mark.parametrize("since", ["2023-11-14T22:13:20Z", "2023-11-14T23:13:20+01:00", "2023-11-14T22:13:20"])
def test_a_moment_without_an_offset_is_utc(since):
    assert moment_ms(since, 0) == NOW_SECONDS * 1000


def test_what_is_no_moment_is_wrong_usage():
    with pytest.raises(UsageError, match="yesterday is no moment"):
        moment_ms("yesterday", NOW_SECONDS)
    assert CliRunner().invoke(app, ["reconcile", "--since", "yesterday"]).exit_code == 2


def test_a_dry_run_says_that_nothing_was_sent_and_trouble_is_named_only_where_there_is_some():
    assert shown(ReconcileReport(answered=5, on_their_way=2, lost=3), is_dry_run=True).splitlines() == [
        "5 answered",
        "2 on their way",
        "3 lost, not sent again (dry run)",
    ]
    told = shown(ReconcileReport(lost=3, redriven=3, given_up=1, unanswerable=4), is_dry_run=False)
    assert "3 sent again" in told
    assert "1 given up" in told
    assert "4 that no answer can reach" in told
