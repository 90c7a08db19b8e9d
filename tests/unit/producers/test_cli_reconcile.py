"""`dragoman reconcile`: what is said of what was found."""

from typer.testing import CliRunner

from producers.cli.main import app
from producers.cli.reconcile import lines_of_report
from stream_apps.repair.reconcile import ReconcileReport


def test_what_is_no_time_is_wrong_usage():
    ran = CliRunner().invoke(app, ["reconcile", "--since", "yesterday"])
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.stderr.startswith("dragoman: --since is 'yesterday', which is no time")


def test_a_dry_run_says_that_nothing_was_sent_and_trouble_is_named_only_where_there_is_some():
    assert lines_of_report(ReconcileReport(answered=5, on_their_way=2, lost=3), is_dry_run=True).splitlines() == [
        "5 answered",
        "2 being processed",
        "3 lost, not sent again (dry run)",
    ]
    told = lines_of_report(ReconcileReport(lost=3, redriven=3, given_up=1, unanswerable=4), is_dry_run=False)
    assert "3 sent again" in told
    assert "1 given up" in told
    assert "4 that no answer can reach" in told
