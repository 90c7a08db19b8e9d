"""Migrations on the embedded engine: they run once, before anything is written, and bear being cut off."""

import time
import uuid
from contextlib import closing

import pytest

from connectors.clickhouse import database as module
from connectors.clickhouse.database import Database
from connectors.clickhouse.migrations import Migration, migrations
from schemas.errors import FatalError
from schemas.events import UsageEvent
from schemas.records import InboundRecord
from schemas.states import UsageKind
from stream_apps.usage_sink.inserting import columns_of
from stream_apps.usage_sink.rows.usage import row_of

RAN = "SELECT number, count() FROM migrations GROUP BY number ORDER BY number"


@pytest.fixture
def folder(tmp_path):
    return f"chdb://{tmp_path / 'data'}"


@pytest.fixture
def more(monkeypatch):
    """Add a migration behind ours."""

    def more(statement: str) -> Migration:
        found = migrations()
        added = Migration(len(found) + 1, "of_this_test", statement)
        monkeypatch.setattr(module, "migrations", lambda: [*found, added])
        return added

    return more


def test_each_runs_once_however_often_the_process_starts(folder):
    for _ in range(3):
        with closing(Database(folder)) as database:
            database.create({})
    with closing(Database(folder)) as database:
        assert database.rows(RAN) == [(one.number, 1) for one in migrations()]


def test_a_database_from_before_the_list_gets_the_list_and_keeps_its_rows(folder):
    with closing(Database(folder)) as database:
        database.create({})
        database.run("INSERT INTO restores (backup_id, state) VALUES ('a', 'begun')")
        database.run("DROP TABLE migrations SYNC")
        database.create({})
        assert database.rows("SELECT count() FROM restores") == [(1,)]
        assert len(database.rows(RAN)) == len(migrations())


def test_one_that_was_cut_off_before_it_was_noted_runs_again(folder, more):
    with closing(Database(folder)) as database:
        database.create({})
        added = more("ALTER TABLE restores ADD COLUMN IF NOT EXISTS note String")
        database.run(added.statement)
        database.create({})
        database.insert("restores", {"backup_id": ["a"], "state": ["b"], "note": ["c"]}, "t")
        assert database.rows(RAN)[-1] == (added.number, 1)


def test_one_that_was_changed_after_it_ran_ends_the_process_before_it_writes(folder, more):
    with closing(Database(folder)) as database:
        more("ALTER TABLE restores ADD COLUMN IF NOT EXISTS note String")
        database.create({})
        more("ALTER TABLE restores ADD COLUMN IF NOT EXISTS note UInt8")
        with pytest.raises(FatalError, match="changed after it ran"):
            database.create({})


def test_a_column_that_the_table_lacks_ends_the_process_and_is_not_tried_for_ever(folder):
    with closing(Database(folder)) as database:
        database.create({})
        with pytest.raises(FatalError, match="no_such_column"):
            database.insert("restores", {"backup_id": ["a"], "no_such_column": [1]}, "t")


def test_what_a_newer_producer_sends_is_kept_beside_the_columns(folder):
    newer = UsageEvent(event_id=str(uuid.uuid4()), kind=UsageKind.BILLED, at=round(time.time() * 1000))
    row = row_of(newer, InboundRecord("u", 0, 0, None, b""), {"carbon_grams": "1.5"})
    with closing(Database(folder)) as database:
        database.create({})
        database.insert("usage_events", columns_of([row]), "t")
        sql = "SELECT other_fields['carbon_grams'], other_fields['none'] FROM usage_events"
        assert database.rows(sql) == [("1.5", "")]
