"""`dragoman dead-letters`: what is shown of dead letters and reports, and what must be said to mean all."""

import json

import pytest
from typer.testing import CliRunner

from producers.cli.dead_letters import (
    dead_letter_json,
    lines_of_dead_letter,
    plan_line,
    refusal_lines,
    report_json,
    table_of,
    value_of,
)
from producers.cli.main import app
from schemas.dead_letters import dead_letter_of
from schemas.errors import PermanentError
from schemas.messages import TranslationRequest
from schemas.topics import TopicPlan
from stream_apps.redrive.plans import RedrivePlan
from stream_apps.redrive.redrive import RedriveReport
from tests.failed_records import BATCHES, CODEC, NOW, Failures, batch, inbound


def test_a_dead_letter_is_shown_without_what_was_sent_unless_that_is_asked_for():
    request = TranslationRequest(request_id="r1", target_language="pt", text="A secret.")
    record = inbound(CODEC.encode(request), attempt=b"\xff")
    dead_letter = dead_letter_of(record, PermanentError("x", "no", cure="mend it"), stage="intake", now_ms=NOW)
    hidden = dead_letter_json(dead_letter, None)
    assert "secret" not in json.dumps(hidden) + lines_of_dead_letter(hidden)
    assert (hidden["value_bytes"], hidden["cure"]) == (len(record.value), "mend it")
    assert hidden["headers"]["attempt"] == "\\xff"
    assert hidden["failed_at"] == "2023-11-14T22:13:20+00:00"
    shown = dead_letter_json(dead_letter, value_of(record, CODEC, TopicPlan()))
    assert shown["value"]["text"] == "A secret."


def test_a_value_that_is_no_message_of_its_topic_is_shown_in_hexadecimal_digits():
    assert value_of(inbound(b"\xff\x00"), CODEC, TopicPlan()) == "ff00"
    assert value_of(inbound(b"\xff", "elsewhere"), CODEC, TopicPlan()) == "ff"


def test_a_list_says_what_failed_where_and_nothing_of_the_text():
    failures = Failures()
    failures.add(inbound(CODEC.encode(batch()), BATCHES), stage="inference", segments=[1])
    header, line = table_of(failures.dead_letters).splitlines()
    assert " ".join(header.split()) == "id failed at stage cause tenant request sentence attempt record"
    assert line.split()[2:] == ["inference", "empty_text", "acme", "r1", "0/1", "1", f"{BATCHES}-2-7"]


def test_a_report_names_the_version_of_each_answer_and_why_others_stay_open():
    failures = Failures()
    for offset in range(3):
        failures.add(inbound(b"x", offset=offset))
    one, two, three = failures.dead_letters
    plans = [RedrivePlan([one], version=2), RedrivePlan([two])]
    report = RedriveReport(plans, [(three, PermanentError("x", "no", cure="mend it"))], sent=2)
    assert [plan_line(plan) for plan in plans] == [f"{one.dead_letter_id}: version 2", two.dead_letter_id]
    assert refusal_lines(report) == [f"{three.dead_letter_id}: no; mend it"]
    assert report_json(report) == {
        "sent": 2,
        "closed": [one.dead_letter_id, two.dead_letter_id],
        "versions": {"acme/r1": 2},
        "refused": [{"dead_letter_id": three.dead_letter_id, "cause": "x", "message": "no"}],
    }


@pytest.mark.parametrize("command", ["redrive", "drop"])
def test_without_a_filter_every_dead_letter_is_meant_only_if_that_is_said(command):
    ran = CliRunner().invoke(app, ["dead-letters", command])
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.stderr == "dragoman: no dead letters are named; name their ids, give a filter, or say --all\n"


@pytest.mark.parametrize("option", ["--since", "--until"])
def test_what_is_no_time_is_wrong_usage(option):
    ran = CliRunner().invoke(app, ["dead-letters", "list", option, "yesterday"])
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.stderr.startswith(f"dragoman: {option} is 'yesterday', which is no time; give how long ago")
