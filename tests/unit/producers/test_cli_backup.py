"""`dragoman backup` and `dragoman regions`, as far as they need no server."""

import json

import pytest
from typer.testing import CliRunner

from deploy.backup import job
from producers.cli import backup
from producers.cli.main import app


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("DRAGOMAN_LOCAL_ROOT", str(tmp_path / "root"))
    return tmp_path / "root"


def run(*arguments):
    return CliRunner().invoke(app, list(arguments))


def test_objects_are_saved_verified_and_restored_without_any_server(root, tmp_path, monkeypatch):
    objects = root / "data" / "objects"
    objects.mkdir(parents=True)
    (objects / "a.txt").write_text("A text.")
    location = str(tmp_path / "b")
    created = run("backup", "create", location, "--only", "objects")
    assert (created.exit_code, created.stdout) == (0, f"{location}: 1 files, 0.0 MB\n")
    assert run("backup", "verify", location).stdout == f"sound: {location}: 1 files, 0.0 MB\n"
    (objects / "a.txt").unlink()
    restored = run("backup", "restore", location, "--only", "objects", "--json")
    assert json.loads(restored.stdout) == {"objects": {"written": 1, "kept": 0}}
    assert (objects / "a.txt").read_text() == "A text."


def test_a_part_that_the_backup_does_not_have_is_named(root, tmp_path):
    location = str(tmp_path / "b")
    run("backup", "create", location, "--only", "objects")
    ran = run("backup", "restore", location, "--only", "clickhouse")
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert ran.stderr.endswith(
        "the backup has no clickhouse, only objects; name the parts that it has, each by --only\n"
    )


def test_what_is_no_backup_is_said_with_its_cure(tmp_path):
    ran = run("backup", "verify", str(tmp_path / "nowhere"))
    assert ran.exit_code == 1
    assert ran.stderr.endswith("is no backup: there is no such folder; make one: dragoman backup create\n")


def test_a_running_platform_is_needed_to_save_all(tmp_path):
    ran = run("backup", "create", str(tmp_path / "b"))
    assert ran.exit_code == 3
    assert not (tmp_path / "b").exists()


def test_the_configuration_of_the_mirror_names_the_regions_it_was_told(monkeypatch):
    monkeypatch.setenv("DRAGOMAN_REGIONS_SOURCE", "eu")
    ran = run("regions", "config")
    assert ran.stdout.startswith("clusters = eu, b\n")


def test_a_restore_makes_its_tables_on_the_cluster_that_is_configured(monkeypatch):
    asked = []
    monkeypatch.setenv("DRAGOMAN_ANALYTICS_DSN", "http://clickhouse")
    monkeypatch.setenv("DRAGOMAN_ANALYTICS_CLUSTER", "books")
    monkeypatch.setattr(backup, "UsagePart", lambda _client, open_target: open_target())
    monkeypatch.setattr(backup, "open_database", lambda *where: asked.append(where))
    backup._part(backup.PartName.CLICKHOUSE)
    assert asked == [("http://clickhouse", "books")]


@pytest.fixture
def objects(root):
    folder = root / "data" / "objects"
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("A text.")
    return folder


def test_a_part_that_is_named_twice_is_saved_once(objects, tmp_path):
    location = str(tmp_path / "b")
    ran = run("backup", "create", location, "--only", "objects", "--only", "objects")
    assert (ran.exit_code, ran.stdout) == (0, f"{location}: 1 files, 0.0 MB\n")
    assert run("backup", "verify", location).exit_code == 0


def test_the_sink_is_rewound_only_where_its_rows_are_restored(objects, tmp_path, monkeypatch):
    location = str(tmp_path / "b")
    run("backup", "create", location, "--only", "objects")
    monkeypatch.setattr(job, "restore", lambda *_: pytest.fail("nothing may be restored"))
    ran = run("backup", "restore", location, "--only", "objects", "--rewind-usage")
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert "--rewind-usage goes on behind the rows of ClickHouse" in ran.stderr
    assert "add --only clickhouse" in ran.stderr


def test_a_folder_that_cannot_be_written_is_not_taken_for_a_platform_that_is_away(objects, tmp_path):
    (tmp_path / "file").write_text("no folder")
    ran = run("backup", "create", str(tmp_path / "file" / "b"), "--only", "objects")
    assert (ran.exit_code, "dragoman status" in ran.stderr) == (1, False), ran.output
    assert str(tmp_path / "file") in ran.stderr


def test_a_check_of_an_address_makes_no_folder(tmp_path):
    ran = run("backup", "verify", (tmp_path / "nowhere").as_uri())
    assert (ran.exit_code, (tmp_path / "nowhere").exists()) == (1, False), ran.output


@pytest.mark.parametrize(("gone_on", "exit_code"), [({}, 0), ({"sink_has_gone_on": True}, 1)])
def test_a_sink_that_has_gone_on_since_the_restore_is_not_rewound_again(monkeypatch, gone_on, exit_code):
    rewound: list[str] = []
    done = {"clickhouse": {"rows": 0, "is_repeat": True, **gone_on}}
    monkeypatch.setattr(backup, "_parts", lambda _only: [])
    monkeypatch.setattr(job, "restore", lambda *_: done)

    def rewind(location: str) -> dict[int, int]:
        rewound.append(location)
        return {}

    monkeypatch.setattr(backup, "_rewound", rewind)
    ran = run("backup", "restore", "b", "--rewind-usage")
    assert (ran.exit_code, len(rewound)) == (exit_code, 1 - exit_code), ran.output
