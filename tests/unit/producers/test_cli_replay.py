"""`dragoman replay`: what is said of a comparison, and what is wrong usage."""

from collections import Counter

import pytest
from typer.testing import CliRunner

from producers.cli import replay
from producers.cli.main import app
from producers.cli.replay import lines_of_report
from schemas.errors import PermanentError
from stream_apps.replay.comparison import Comparison, TextPair

COMPARISON = Comparison([TextPair("r1", "a b", "a c", 1, 2)], Counter({"pair en-xx not served": 2}))


def test_a_report_names_the_figures_the_skipped_and_the_most_different():
    said = lines_of_report(COMPARISON.report(5, with_texts=False))
    assert "skipped: pair en-xx not served    2\n" in said
    assert said.endswith("most different  similarity\nr1              0.5000")


def test_texts_are_printed_only_if_they_are_asked_for():
    said = lines_of_report(COMPARISON.report(5, with_texts=True))
    assert said.endswith("r1\n  past:     a b\n  replayed: a c")


@pytest.mark.parametrize(
    ("cause", "exit_code"), [("platform_topic", 2), ("ambiguous_model", 2), ("unknown_model", 1)]
)
def test_what_was_typed_wrong_is_told_from_what_is_not_there(cause, exit_code, monkeypatch):
    def refuse(_model, _found):
        raise PermanentError(cause, "no", cure="choose another")

    monkeypatch.setattr(replay, "choose_model", refuse)
    ran = CliRunner().invoke(app, ["replay", "--since", "2w", "--model", "m", "--to", "t"])
    assert (ran.exit_code, ran.stderr) == (exit_code, "dragoman: no; choose another\n")


@pytest.mark.parametrize("option", ["--since", "--until"])
def test_what_is_no_time_is_wrong_usage(option):
    options = {"--since": "1h", "--model": "m", "--to": "t", option: "yesterday"}
    ran = CliRunner().invoke(app, ["replay", *(word for pair in options.items() for word in pair)])
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.stderr.startswith(f"dragoman: {option} is 'yesterday'")


@pytest.mark.parametrize(
    "times", [{"--since": "1h", "--until": "2h"}, {"--since": "1h", "--until": "1h"}, {"--since": "2999-01-01"}]
)
def test_a_time_that_ends_before_it_begins_is_wrong_usage(times):
    options = {"--model": "m", "--to": "t", **times}
    ran = CliRunner().invoke(app, ["replay", *(word for pair in options.items() for word in pair)])
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert "--since is not before --until" in ran.stderr


def test_a_time_without_requests_is_told(monkeypatch):
    monkeypatch.setattr(replay, "choose_model", lambda *_: [])
    monkeypatch.setattr(replay, "_run", lambda *_, **__: Comparison())
    ran = CliRunner().invoke(app, ["replay", "--since", "1h", "--model", "m", "--to", "t"])
    assert (ran.exit_code, ran.stderr) == (0, "no request of that time was found\n")
