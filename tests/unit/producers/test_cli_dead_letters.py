"""Which letters are meant, how their plans are carried out, and what is shown of them."""

import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from producers.cli.arguments import moment_ms
from producers.cli.dead_letter_output import (
    dead_letter_json,
    lines_of_dead_letter,
    refusals_of,
    table_of,
    value_of,
)
from producers.cli.errors import UsageError
from producers.cli.main import app
from schemas.dead_letters import dead_letter_of
from schemas.errors import PermanentError
from schemas.messages import TranslationRequest
from schemas.records import InboundRecord
from schemas.topics import DEAD_LETTERS, TopicPlan
from stream_apps.redrive.open_dead_letters import DeadLetterFilter, OpenDeadLetters
from stream_apps.redrive.plans import RedrivePlan, carry_out, groups_of
from tests.unit.producers.failed_records import BATCHES, CODEC, NOW, REQUESTS, batch, inbound


def test_filters_narrow_and_the_limit_takes_the_oldest(failures):
    for at, cause in enumerate(("a", "b", "a")):
        failures.add(inbound(b"x", offset=at), cause=cause, at=at)
    assert [
        dead_letter.failed_at for dead_letter in DeadLetterFilter(cause="a").chosen(failures.dead_letters)
    ] == [0, 2]
    assert [dead_letter.failed_at for dead_letter in DeadLetterFilter(limit=1).chosen(failures.dead_letters)] == [
        0
    ]
    assert [
        dead_letter.failed_at
        for dead_letter in DeadLetterFilter(since_ms=1, until_ms=2).chosen(failures.dead_letters)
    ] == [1]
    assert (
        DeadLetterFilter(tenant="other").chosen(failures.dead_letters)
        == DeadLetterFilter(stage="status").chosen(failures.dead_letters)
        == []
    )
    assert (
        len(
            DeadLetterFilter(tenant="acme", request="r1", topic=REQUESTS, stage="intake").chosen(
                failures.dead_letters
            )
        )
        == 3
    )
    assert DeadLetterFilter(ids=(failures.dead_letters[1].dead_letter_id,)).chosen(failures.dead_letters) == [
        failures.dead_letters[1]
    ]


def test_a_filter_that_asks_nothing_is_open():
    assert DeadLetterFilter().is_open
    assert not DeadLetterFilter(limit=3).is_open
    assert not DeadLetterFilter(since_ms=1).is_open


@pytest.mark.parametrize(
    ("text", "seconds_before"),
    [("90s", 90), ("2m", 120), ("1h", 3600), ("7d", 7 * 86400), ("2026-01-31T11:59", 60)],
)
def test_a_moment_is_so_long_ago_or_a_date(text, seconds_before):
    now = datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert moment_ms(text, now) == round((now.timestamp() - seconds_before) * 1000)


def test_what_is_no_moment_says_what_would_be_one():
    with pytest.raises(UsageError, match="12h"):
        moment_ms("yesterday", datetime.now(UTC))


def test_what_is_no_dead_letter_is_counted_and_holds_nothing_up():
    dead_letters = OpenDeadLetters(CODEC, lambda _: True)
    dead_letters.add(InboundRecord(DEAD_LETTERS, 0, 0, b"k", b"rubbish"))
    dead_letters.add(InboundRecord(DEAD_LETTERS, 0, 1, None, None))
    assert (dead_letters.unreadable, dead_letters.oldest_first()) == (1, [])


def test_plans_share_transactions_but_none_is_divided(failures):
    for offset in range(900):
        failures.add(inbound(b"x", offset=offset), request_id=None)
    commits = []
    report = carry_out(
        [[one] for one in failures.dead_letters], failures.planner().plan, lambda out: commits.append(list(out))
    )
    assert [len(records) for records in commits] == [500, 500, 500, 300]
    for records in commits:
        assert sum(record.value is None for record in records) * 2 == len(records)
    assert (report.sent, len(report.closed)) == (900, 900)


def test_what_cannot_be_sent_again_stays_open_and_the_others_go(failures):
    failures.add(inbound(b"x", offset=1), cause="id_reused")
    failures.add(inbound(b"x", offset=2))
    commits = []
    report = carry_out(
        groups_of(failures.dead_letters, failures.dead_letters), failures.planner().plan, commits.append
    )
    assert (len(report.closed), len(report.refused), len(commits)) == (1, 1, 1)
    (line,) = refusals_of(report)
    assert line.startswith(failures.dead_letters[0].dead_letter_id)
    assert line.endswith("drop the letter")


def test_nothing_to_do_opens_no_transaction():
    assert carry_out([], RedrivePlan, pytest.fail).closed == []


def test_a_dead_letter_is_shown_without_what_was_sent_unless_that_is_asked_for():
    request = TranslationRequest(request_id="r1", target_language="pt", text="A secret.")
    record = inbound(CODEC.encode(request), attempt=b"\xff")
    dead_letter = dead_letter_of(record, PermanentError("x", "no", cure="mend it"), stage="intake", now_ms=NOW)
    hidden = dead_letter_json(dead_letter, None)
    assert "secret" not in json.dumps(hidden) + lines_of_dead_letter(hidden)
    assert (hidden["value_bytes"], hidden["cure"], hidden["headers"]["attempt"]) == (
        len(record.value),
        "mend it",
        "\\xff",
    )
    shown = dead_letter_json(dead_letter, value_of(record, CODEC, TopicPlan()))
    assert shown["value"]["text"] == "A secret."
    assert value_of(inbound(b"\xff\x00"), CODEC, TopicPlan()) == "ff00"
    assert value_of(inbound(b"\xff", "elsewhere"), CODEC, TopicPlan()) == "ff"


def test_a_list_says_what_failed_where_and_nothing_of_the_text(failures):
    failures.add(inbound(CODEC.encode(batch()), BATCHES), stage="inference", segments=[1])
    header, line = table_of(failures.dead_letters).splitlines()
    assert header.split() == [
        "id",
        "failed",
        "at",
        "stage",
        "cause",
        "tenant",
        "request",
        "sentence",
        "attempt",
        "record",
    ]
    assert line.split()[2:] == ["inference", "empty_text", "acme", "r1", "0/1", "1", f"{BATCHES}-2-7"]


@pytest.mark.parametrize("command", ["redrive", "drop"])
def test_without_a_filter_every_dead_letter_is_meant_only_if_that_is_said(command):
    ran = CliRunner().invoke(app, ["dead-letters", command])
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.stderr == "dragoman: no letters are named; name their ids, give a filter, or say --all\n"
