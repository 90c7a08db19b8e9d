"""Which migrations run: each once, in order, and none that was changed behind a database's back."""

import re
from types import SimpleNamespace

import pytest

from connectors.clickhouse.database import Database
from connectors.clickhouse.migrations import Migration, migrations, on_cluster, pending
from schemas.errors import FatalError

ONE, TWO, TEN = (Migration(number, f"step_{number}", f"CREATE TABLE t{number}") for number in (1, 2, 10))


def test_what_has_not_run_runs_in_order():
    assert pending([ONE, TWO, TEN], {}) == [ONE, TWO, TEN]
    assert pending([ONE, TWO, TEN], {1: ONE.digest}) == [TWO, TEN]
    assert pending([ONE, TWO], {1: ONE.digest, 2: TWO.digest}) == []


def test_a_newer_version_has_been_here_and_nothing_happens():
    assert pending([ONE], {1: ONE.digest, 2: TWO.digest, 10: TEN.digest}) == []


def test_a_migration_that_was_changed_after_it_ran_is_refused_by_number():
    with pytest.raises(FatalError, match=r"migration 1 \(step_1\).*--fresh"):
        pending([ONE, TWO], {1: TWO.digest})


def test_comments_and_line_breaks_are_no_change():
    spaced = Migration(1, "step_1", "-- Why.\nCREATE\n  TABLE t1 -- here\n")
    assert spaced.digest == ONE.digest


def test_every_number_is_used_once_and_every_statement_bears_a_repeat():
    found = migrations()
    assert [one.number for one in found] == list(range(1, len(found) + 1))
    bears = ("IF NOT EXISTS", "OR REPLACE", "MODIFY QUERY")
    assert [one.name for one in found if not any(word in one.statement for word in bears)] == []


def test_on_a_cluster_every_table_is_a_replica_everywhere_and_repeats_are_known_for_a_week():
    written = [on_cluster(one.statement, "books") for one in migrations()]
    assert all(text.count(" ON CLUSTER 'books'") == 1 for text in written)
    tables = [text for text in written if "ENGINE =" in text]
    assert len(tables) > 9
    for text in tables:
        assert re.search(
            r"ENGINE = Replicated\w*MergeTree\('/clickhouse/tables/\{shard\}/\{database\}/\{table\}',", text
        )
    assert (
        "ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', until)"
        in "".join(tables)
    )
    assert "non_replicated" not in "".join(written)
    assert "replicated_deduplication_window_seconds = 604800" in tables[0]


def test_without_a_cluster_a_statement_stays_as_it_is():
    assert all(on_cluster(one.statement, "") == one.statement for one in migrations())


@pytest.mark.parametrize(("cluster", "where"), [("", ""), ("books", " ON CLUSTER 'books'")])
def test_what_is_dropped_is_gone_from_every_server_of_the_cluster(monkeypatch, cluster, where):
    commands: list[str] = []
    client = SimpleNamespace(command=commands.append)
    monkeypatch.setattr("connectors.clickhouse.database.clickhouse_connect.get_client", lambda **_named: client)
    Database("http://clickhouse", cluster).drop(views=["cost"], tables=["usage_events"])
    assert commands == [f"DROP VIEW IF EXISTS cost{where} SYNC", f"DROP TABLE IF EXISTS usage_events{where} SYNC"]
