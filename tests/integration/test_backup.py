"""Three real stores are saved, destroyed and brought back; a damaged backup is refused by the name of its file."""

import datetime
import json
import subprocess
import sys
import uuid
from typing import cast

import pytest

from connectors.clickhouse.client import AnalyticsClient
from connectors.clickhouse.database import Database, open_database
from connectors.object_files import open_files
from connectors.object_store import ObjectSettings
from deploy.backup.archive import open_backup
from deploy.backup.job import ObjectsPart, create, restore, verify
from deploy.backup.state import StatePart
from deploy.backup.usage import RestoreStage, UsagePart, UsageRestore
from schemas.errors import PermanentError
from stream_apps.usage_sink.query_server import Access, QueryServer
from stream_apps.usage_sink.settings import QueryLimits

DAYS = (
    datetime.datetime(2026, 1, 31, 23, tzinfo=datetime.UTC),
    datetime.datetime(2026, 2, 1, tzinfo=datetime.UTC),
)


TOKEN = "a token of this test"
TTL_TOLERANCE_MS = 20_000


def quiet(part, done, total):
    """No progress bar."""


@pytest.fixture
def state(valkey):
    valkey.flushall()
    return valkey


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """One for all tests: the embedded engine opens one path in the life of a process."""
    found = open_database(f"chdb://{tmp_path_factory.mktemp('analytics')}")
    yield found
    found.close()


class Lent:
    """The engine cannot be opened a second time in a process, so it must not be closed either."""

    def __init__(self, database):
        self._database = database

    def __getattr__(self, name):
        return getattr(self._database, name)

    def close(self):
        """Stays open."""


@pytest.fixture
def usage(database):
    """Rows of two months and two partitions, behind the read-only HTTP interface that a backup goes through."""
    UsageRestore(database, "nobody").begin(replace=True)
    database.run("TRUNCATE TABLE restores SYNC")
    database.run("TRUNCATE TABLE word_prices SYNC")
    database.create({"cpu/spot": 0.06}, {"standard": 20.0, "acme/standard": 15.0})
    for part in (0, 1):
        for number in range(4):
            first = 49_998 + number * 2
            rows = [row(part, offset, DAYS[offset % 2]) for offset in (first, first + 1)]
            columns = {name: [one[name] for one in rows] for name in rows[0]}
            database.insert("usage_events", columns, f"{part}-{first}")
    server = QueryServer([database], Access("127.0.0.1", 0, TOKEN), QueryLimits(30, 100_000))
    yield UsagePart(
        AnalyticsClient(f"http://127.0.0.1:{server.port}", TOKEN), lambda: cast(Database, Lent(database))
    )
    server.close()


TEXTS = (
    *("kind", "request_id", "tenant", "priority", "source_language", "target_language"),
    *("model", "pool", "worker", "device", "market", "status"),
)
NUMBERS = (
    *("source_words", "target_words", "source_characters", "segments", "cached_segments", "cached_words"),
    *("failed_segments", "busy_ms", "queue_ms", "latency_ms", "sla_ms"),
)


def row(part, offset, at):
    values = dict.fromkeys(TEXTS, "x") | dict.fromkeys(NUMBERS, offset % 7)
    where = {"kafka_partition": part, "kafka_offset": offset}
    return {"event_id": uuid.uuid4(), "at": at, **values, **where}


def fill(state):
    state.set("done:{a}", "topic-0-1 final", px=3_600_000)
    state.hset("asm:{b}", mapping={"s1:0": b"\x00\xff" * 5_000, "#1": 1})
    state.zadd("queue", {"a": 1.5, "b": 2})
    state.setbit("job:{a}:batches", 7, 1)
    for number in range(500):
        state.set(f"seen:{number}", "f" * 32, px=100_000 + number)


def contents(state):
    return {key: (state.dump(key), state.pttl(key)) for key in state.scan_iter()}


def table(database, name):
    return sorted(map(str, database.rows(f"SELECT * FROM {name}")))


def test_everything_comes_back_as_it_was(state, usage, database, tmp_path):
    fill(state)
    texts = tmp_path / "objects" / "results"
    texts.mkdir(parents=True)
    (texts / "large.txt").write_bytes(b"0123456789abcdef" * 500_000)
    (texts / "small.txt").write_text("Bom dia.")
    objects = ObjectsPart(open_files(ObjectSettings(url=(tmp_path / "objects").as_uri())))
    parts = [StatePart(state), usage, objects]
    before = contents(state), *(table(database, name) for name in ("usage_events", "price_list", "word_prices"))
    hourly = database.rows("SELECT sum(events), sum(source_words), sum(busy_ms) FROM usage_hourly")
    location = str(tmp_path / "backup")

    manifest = create(location, parts, quiet)
    assert verify(location, quiet) == manifest
    state.flushall()
    (texts / "large.txt").unlink()
    database.run("TRUNCATE TABLE usage_events SYNC")
    done = restore(location, parts, True, quiet)

    assert done == {
        "state": {"written": 504, "kept": 0},
        "clickhouse": {"rows": 16, "words": manifest.parts["clickhouse"]["words"]},
        "objects": {"written": 2, "kept": 0},
    }
    found = contents(state)
    assert {key: value for key, (value, _) in found.items()} == {
        key: value for key, (value, _) in before[0].items()
    }
    for key, (_, ttl_ms) in before[0].items():
        assert found[key][1] == ttl_ms == -1 or abs(ttl_ms - found[key][1]) <= TTL_TOLERANCE_MS
    assert table(database, "usage_events") == before[1]
    assert table(database, "price_list") == before[2]
    assert table(database, "word_prices") == before[3]
    assert database.rows("SELECT sum(events), sum(source_words), sum(busy_ms) FROM usage_hourly") == hourly
    assert (texts / "large.txt").read_bytes() == b"0123456789abcdef" * 500_000
    assert len(list((tmp_path / "backup" / "clickhouse" / "usage_events" / "202601").iterdir())) == 4


def test_an_old_bill_costs_after_a_restore_what_it_did_before(usage, database, tmp_path):
    create(str(tmp_path / "b"), [usage], quiet)
    before = table(database, "word_prices")
    database.run("TRUNCATE TABLE word_prices SYNC")
    database.create({}, {"standard": 99.0})

    restore(str(tmp_path / "b"), [usage], True, quiet)

    assert table(database, "word_prices") == before


def test_a_backup_without_prices_of_words_leaves_those_that_are_there(usage, database, tmp_path, monkeypatch):
    with monkeypatch.context() as older:
        older.setattr("deploy.backup.usage.PRICE_TABLES", ("price_list",))
        create(str(tmp_path / "b"), [usage], quiet)
    before = table(database, "word_prices")

    restore(str(tmp_path / "b"), [usage], True, quiet)

    assert table(database, "word_prices") == before != []


def test_a_restore_that_is_repeated_doubles_nothing_and_keeps_what_is_newer(state, usage, database, tmp_path):
    fill(state)
    parts = [StatePart(state), usage]
    create(str(tmp_path / "b"), parts, quiet)
    state.set("done:{a}", "newer")
    restore(str(tmp_path / "b"), [usage], True, quiet)
    done = restore(str(tmp_path / "b"), parts, False, quiet)
    assert done == {"state": {"written": 0, "kept": 504}, "clickhouse": {"rows": 0, "is_repeat": True}}
    assert state.get("done:{a}") == b"newer"
    assert database.rows("SELECT count() FROM usage_events")[0][0] == 16


def test_a_restore_that_was_cut_short_goes_on_where_it_stopped(usage, database, tmp_path):
    create(str(tmp_path / "b"), [usage], quiet)
    backup = open_backup(str(tmp_path / "b"))
    target = UsageRestore(database, backup.manifest.backup_id)
    target.begin(replace=True)
    first = next(iter(backup.entries("clickhouse")))
    target.load_events(first.name, b"".join(backup.read(first)))
    assert restore(str(tmp_path / "b"), [usage], False, quiet)["clickhouse"]["rows"] == 16
    assert target.begin(replace=False) is RestoreStage.FINISHED
    assert database.rows("SELECT count(), (SELECT sum(events) FROM usage_hourly) FROM usage_events") == [(16, 16)]


def test_rows_of_somebody_else_are_not_mixed_with_those_of_a_backup(usage, tmp_path):
    create(str(tmp_path / "b"), [usage], quiet)
    with pytest.raises(PermanentError, match="16 rows that are not of this backup") as refused:
        restore(str(tmp_path / "b"), [usage], False, quiet)
    assert "--replace" in str(refused.value.cure)


@pytest.mark.parametrize("name", ["state/keys.avro", "files.jsonl", "manifest.json"])
@pytest.mark.parametrize("how", ["changed", "cut", "removed"])
def test_a_damaged_file_is_refused_by_its_name_and_nothing_is_restored(state, tmp_path, name, how):
    fill(state)
    location = tmp_path / "b"
    create(str(location), [StatePart(state)], quiet)
    state.flushall()
    damage(location / name, how)
    for act in (
        lambda: verify(str(location), quiet),
        lambda: restore(str(location), [StatePart(state)], False, quiet),
    ):
        with pytest.raises(PermanentError, match=name):
            act()
    assert state.dbsize() == 0


def damage(path, how):
    data = path.read_bytes()
    if how == "removed":
        path.unlink()
    elif how == "cut":
        path.write_bytes(data[:-10])
    else:
        middle = len(data) // 2
        path.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])


def test_a_backup_that_was_cut_short_is_none_and_does_not_stand_in_the_way(state, tmp_path):
    class Breaking(StatePart):
        def save(self, draft, on_progress):
            super().save(draft, on_progress)
            raise KeyboardInterrupt

    fill(state)
    with pytest.raises(KeyboardInterrupt):
        create(str(tmp_path / "b"), [Breaking(state)], quiet)
    with pytest.raises(PermanentError, match="no such folder"):
        verify(str(tmp_path / "b"), quiet)
    create(str(tmp_path / "b"), [StatePart(state)], quiet)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b"]
    with pytest.raises(PermanentError, match="is there already"):
        create(str(tmp_path / "b"), [StatePart(state)], quiet)


def test_a_backup_may_lie_below_a_url(state, tmp_path):
    fill(state)
    url = (tmp_path / "far").as_uri()
    manifest = create(url, [StatePart(state)], quiet)
    state.flushall()
    assert restore(url, [StatePart(state)], False, quiet) == {"state": {"written": 504, "kept": 0}}
    assert json.loads((tmp_path / "far" / "manifest.json").read_text())["backup_id"] == manifest.backup_id


def test_a_large_store_is_saved_and_brought_back_in_little_memory(tmp_path):
    """In a process of its own, 300 MB through less than 150 MB more than it began with."""
    source = tmp_path / "objects"
    source.mkdir()
    with (source / "large").open("wb") as file:
        for _ in range(300):
            file.write(bytes(1 << 20))
    ran = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert int(ran.stdout) < 150


_MEASURE = """
import resource, sys
from connectors.object_files import open_files
from connectors.object_store import ObjectSettings
from deploy.backup.job import create, restore
from deploy.backup.job import ObjectsPart

def part(name):
    return ObjectsPart(open_files(ObjectSettings(url=f"file://{sys.argv[1]}/{name}")))

def megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

before = megabytes()
create(f"{sys.argv[1]}/b", [part("objects")], lambda *_: None)
restore(f"{sys.argv[1]}/b", [part("again")], False, lambda *_: None)
print(megabytes() - before)
"""


def test_a_database_that_another_process_has_open_is_refused_with_the_cure(tmp_path):
    code = "import sys; from connectors.clickhouse.database import open_database as o; o(sys.argv[1])"
    command = [sys.executable, "-c", code, "chdb:///proc/nowhere"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "stop the analytics process first" in ran.stderr
