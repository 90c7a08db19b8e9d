"""Lines of logs are understood: ours, Kafka's, Valkey's, and what nobody has foreseen."""

import json
import re
from datetime import datetime

import pytest

from deploy.local.log_lines import LogFilter, parse_line, wanted_lines

AT = "2026-11-30T03:12:13.250000Z"
AT_MS = 1_796_008_333_250
OURS = {
    "event": "request_cut",
    "process": "intake",
    "instance": "intake-1",
    "level": "debug",
    "timestamp": AT,
    "tenant": "acme",
    "request_id": "r1",
    "trace_id": "a" * 32,
    "batches": 3,
}


def text(**changes):
    return json.dumps({**OURS, **changes})


def local_ms(*moment):
    return round(datetime(*moment).astimezone().timestamp() * 1000)


def lines(texts, **wanted):
    return [(line.event, line.at_ms) for line in wanted_lines("intake-1", texts, LogFilter(**wanted), 7)]


def test_a_line_of_ours_keeps_its_fields():
    line = parse_line("intake-1", text())
    assert (line.process, line.at_ms, line.level, line.event) == ("intake-1", AT_MS, "debug", "request_cut")
    assert line.fields == {
        "instance": "intake-1",
        "tenant": "acme",
        "request_id": "r1",
        "trace_id": "a" * 32,
        "batches": 3,
    }


def test_a_line_of_kafka_has_its_local_time_and_level():
    line = parse_line("kafka", "2026-11-30 03:12:13,319 WARN QuorumController: starting: now")
    assert (line.at_ms, line.level) == (local_ms(2026, 11, 30, 3, 12, 13, 319_000), "warning")
    assert line.event == "QuorumController: starting: now"


@pytest.mark.parametrize(("sign", "level"), [(".", "debug"), ("-", "debug"), ("*", "info"), ("#", "warning")])
def test_a_line_of_valkey_has_its_local_time_and_level(sign, level):
    line = parse_line("redis-state", f"11527:M 30 Nov 2026 03:12:13.053 {sign} Ready")
    assert (line.at_ms, line.level, line.event) == (local_ms(2026, 11, 30, 3, 12, 13, 53_000), level, "Ready")


def test_a_line_of_the_supervisor_is_an_event():
    line = parse_line("supervisor", '{"at": "2026-11-30T03:12:13+0000", "name": "kafka", "state": "ready"}')
    assert (line.event, line.at_ms, line.level) == ("process_state", AT_MS - 250, "info")
    assert line.fields == {"name": "kafka", "state": "ready"}


@pytest.mark.parametrize(
    "strange",
    ["Traceback (most recent call last):", "{", "{}x", '{"timestamp": 5}', '{"timestamp": "soon"}', "[1]", ""],
)
def test_any_other_line_is_an_event_at_the_time_before(strange):
    line = parse_line("http", strange, 5)
    assert (line.at_ms, line.level, line.event) == (5, "info", strange)


def test_a_line_without_a_time_follows_the_one_before():
    assert lines(["before", text(), "after"]) == [("before", 7), ("request_cut", AT_MS), ("after", AT_MS)]


def test_the_time_of_a_line_that_is_not_wanted_holds_for_those_behind_it():
    assert lines([text(), "panic: after"], grep=re.compile("panic")) == [("panic: after", AT_MS)]


@pytest.mark.parametrize(
    "wanted",
    [
        {"request": "r1"},
        {"tenant": "acme"},
        {"trace": "a" * 32},
        {"level": "debug"},
        {"since_ms": AT_MS},
        {"grep": re.compile("batches.*3")},
    ],
    ids=str,
)
def test_a_line_is_found(wanted):
    assert len(lines([text()], **wanted)) == 1


@pytest.mark.parametrize(
    "wanted",
    [
        {"request": "r"},
        {"tenant": "intake-1"},
        {"trace": "a" * 31},
        {"level": "info"},
        {"since_ms": AT_MS + 1},
        {"grep": re.compile("batches.*4")},
    ],
    ids=str,
)
def test_a_line_is_left_out(wanted):
    assert lines([text()], **wanted) == []


def test_processes_are_chosen_by_name_or_kind():
    wanted = LogFilter(processes=("worker", "http", "redis-state"))
    names = ("worker-1", "worker-12", "http", "redis-state", "redis-cache", "intake-1")
    assert [name for name in names if wanted.wants_process(name)] == [
        "worker-1",
        "worker-12",
        "http",
        "redis-state",
    ]


def test_every_line_can_be_written_as_json():
    shown = json.loads(parse_line("kafka", "2026-11-30 03:12:13,319 ERROR Log: ação").as_json())
    assert (shown["process"], shown["level"], shown["event"]) == ("kafka", "error", "Log: ação")
    assert datetime.fromisoformat(shown["timestamp"]).tzinfo


@pytest.mark.parametrize(
    "strange",
    [
        '{"timestamp": "0001-01-01T00:00:00"}',
        '{"timestamp": "9999-12-31T23:59:59-23:59"}',
        '{"timestamp": 5}',
        '{"a":' * 100_000,
        "999:M 30 Nov 0001 03:00:00.000 * up",
    ],
)
def test_a_line_that_nobody_can_read_is_shown_as_it_is(strange):
    (found,) = wanted_lines("http", [strange], LogFilter(), 1_000)
    assert found.at_ms == 1_000
    assert json.loads(found.as_json())["process"] == "http"
