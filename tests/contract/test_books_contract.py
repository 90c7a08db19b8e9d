"""The books on the embedded engine: every view's sums are those that a person works out by hand."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from producers.http.blocking.usage import By, UsageQuestion
from schemas.events import DeadLetter
from schemas.records import InboundRecord
from schemas.states import ResultStatus
from schemas.topics import DEAD_LETTERS, RESULTS
from stream_apps.usage_sink.rebuild import rebuild_rollup
from stream_apps.usage_sink.reconciliation import Sums, TopicSums, reconcile
from tests.books import AT, CODEC, HOUR_MS, Books, answer, open_books

DAY = datetime.fromtimestamp(AT / 1000, UTC).date()


@pytest.fixture(scope="module")
def books(tmp_path_factory) -> Iterator[Books]:
    with open_books(tmp_path_factory.mktemp("books")) as books:
        yield books


def money(text: str) -> Decimal:
    return Decimal(text)


def test_each_answer_has_the_price_of_its_tenant_and_the_cost_of_its_machine(books):
    found = books.rows("SELECT tenant, price, cost FROM billed ORDER BY tenant")
    assert found == [("acme", money("10"), money("0.18")), ("globex", money("10"), money("0.09"))]


def test_cost_per_day_and_per_thousand_and_million_words(books):
    columns = "words, cached, total_cost, total_price, margin, cost_per_thousand_words, cost_per_million_words"
    (found,) = books.rows(f"SELECT {columns} FROM cost_by_day WHERE tenant = 'acme'")
    assert found == (
        1_000_000, 400_000, money("0.18"), money("10"), money("9.82"), money("0.00018"), money("0.18"),
    )  # fmt: skip


@pytest.mark.parametrize(("by", "name"), [(By.DAY, f"{DAY}"), (By.PAIR, "en-pt"), (By.LABEL, "a")])
def test_http_tells_a_tenant_its_own_words_and_characters_of_those_days(books, by, name):
    asked = UsageQuestion("acme", DAY, DAY, by, "team")
    ((found, requests, words, _),) = books.rows(asked.sql)
    assert (found, requests, words) == (name, 1, 1_000_000)
    before = UsageQuestion("acme", DAY - timedelta(days=9), DAY - timedelta(days=1), by, "team")
    assert books.rows(before.sql) == []


def test_a_request_counts_under_each_of_its_tags(books):
    found = books.rows("SELECT name, value, words, total_cost FROM cost_by_tag ORDER BY name, value")
    assert found == [
        ("app", "x", 1_000_000, money("0.18")),
        ("team", "a", 1_000_000, money("0.18")),
        ("team", "b", 500_000, money("0.09")),
    ]


def test_machine_time_is_direct_idle_starting_and_draining_and_nothing_is_counted_twice(books):
    found = dict(books.rows("SELECT line, sum(seconds) FROM cost_lines GROUP BY line"))
    # w1 was ready for 3,540 s and w2 for 3,600; 3,600 of these 7,140 s were work.
    assert found == {"direct": 3600, "idle": 3540, "starting": 60, "draining": 36}
    cost = dict(books.rows("SELECT line, sum(total_cost) FROM cost_lines GROUP BY line"))
    assert cost == {
        "direct": money("0.36"),
        "idle": money("0.354"),
        "starting": money("0.006"),
        "draining": money("0.0036"),
    }
    assert books.rows("SELECT DISTINCT market FROM cost_lines") == [("spot",)]


def test_margin_is_the_price_less_all_machine_time_repeats_included(books):
    found = books.rows("SELECT tenant, words, total_price, direct_cost, margin FROM margin ORDER BY tenant")
    assert found == [
        ("acme", 1_000_000, money("10"), money("0.18"), money("9.82")),
        ("globex", 500_000, money("10"), money("0.18"), money("9.82")),
    ]


def test_the_memory_saved_the_words_it_knew_at_the_days_cost_of_a_word(books):
    found = books.rows("SELECT tenant, saved_words, saved_cost FROM memory_savings ORDER BY tenant")
    # 0.36 for 600,000 + 2 * 500,000 translated words.
    assert found == [("acme", 400_000, money("0.09")), ("globex", 0, money("0"))]


def test_attainment_counts_first_answers_and_neither_corrections_nor_who_cancelled(books):
    books.told(RESULTS, answer("late", "a", 1, 20.0))
    books.told(RESULTS, answer("late", "a", 1, 9_000.0, version=2))
    books.told(RESULTS, answer("late", "b", 1, 100.0))
    books.told(RESULTS, answer("late", "c", 1, 5.0, status=ResultStatus.CANCELLED))
    books.told(RESULTS, answer("late", "d", 0, 5.0, status=ResultStatus.EXPIRED))
    columns = "requests, within_30, within_120, within_600, within_promise"
    assert books.rows(f"SELECT {columns} FROM attainment WHERE tenant = 'late'") == [(3, 1, 2, 2, 2)]


def test_an_answer_that_is_read_again_is_still_one(books):
    for _ in range(3):
        books.told(RESULTS, answer("again", "a", 7, 1.0))
    assert books.rows("SELECT count(), sum(source_words) FROM requests FINAL WHERE tenant = 'again'") == [(1, 7)]


def test_a_dead_letter_is_open_until_its_tombstone_and_again_after_a_second_failure(books):
    letter = DeadLetter(dead_letter_id="d1", stage="intake", cause="too_large", message="", failed_at=AT)
    states = []
    for message in (letter, None, letter):
        books.told(DEAD_LETTERS, message, b"d1")
        states.append(books.rows("SELECT dead_letter_id, cause FROM open_dead_letters"))
    assert states == [[("d1", "too_large")], [], [("d1", "too_large")]]


def test_the_rollup_is_made_anew_from_the_raw_events(books):
    query = "SELECT sum(events), sum(source_words), sum(cached_words), sum(busy_ms) FROM usage_hourly"
    before = books.rows(query)
    assert books.rows("SELECT * FROM rollup_differences") == []
    books.database.run("TRUNCATE TABLE usage_hourly")
    ((hours,),) = books.rows("SELECT count() FROM rollup_differences")
    assert hours == 1
    for _ in range(2):
        assert rebuild_rollup(books.database) == 0
        assert books.rows(query) == before


def test_the_books_agree_with_the_results_topic_and_each_difference_is_named(books):
    results = [answer("acme", "r1", 1_000_000, 25.0), answer("globex", "r1", 500_000, 130.0)]
    records = [InboundRecord(RESULTS, 0, at, None, CODEC.encode(one)) for at, one in enumerate(results)]
    topic = TopicSums(CODEC, AT - HOUR_MS, AT + HOUR_MS)
    topic.add(
        [*records, InboundRecord(RESULTS, 0, 9, b"k", b"rubbish"), InboundRecord(RESULTS, 0, 10, b"k", None)]
    )

    def ask(sql: str) -> list[dict[str, Any]]:
        names = ["hours"] if "hours" in sql else ["tenant", "requests", "words"]
        return [
            dict(zip(names, row, strict=True))
            for row in books.rows(sql)
            if names == ["hours"] or row[0] in ("acme", "globex")
        ]

    assert reconcile(topic, ask).is_sound
    topic.add([InboundRecord(RESULTS, 0, 11, None, CODEC.encode(answer("acme", "lost", 5, 1.0)))])
    found = reconcile(topic, ask)
    assert [(one.books, one.tenant, one.topic, one.found) for one in found.differences] == [
        (name, "acme", Sums(2, 1_000_005), Sums(1, 1_000_000)) for name in ("usage_events", "requests")
    ]
    assert (found.off("usage_events"), found.is_sound) == (6, False)


def test_the_command_makes_the_rollup_anew_in_a_folder_that_nobody_has_open(tmp_path):
    environment = {**os.environ, "DRAGOMAN_ANALYTICS_DSN": f"chdb://{tmp_path}"}
    command = [sys.executable, "-m", "producers.cli.main", "analytics", "rebuild"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "0 months made anew; 0 hours differ from the raw events\n")
