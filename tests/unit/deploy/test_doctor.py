"""The doctor itself: what its exit status says, what it reads of the environment, how it looks at this machine."""

import json
import os
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.kafka.settings import KafkaSettings
from connectors.redis.settings import RedisSettings
from deploy.doctor import environment, looking, versions
from deploy.doctor.examinations import Places, examinations
from deploy.doctor.facts import Clock
from deploy.doctor.finding import Examination, Verdict, examine
from deploy.doctor.settings import DoctorSettings
from deploy.local.settings import StackSettings
from inference_workers.settings import WorkerLimits
from producers.cli.main import app
from schemas.errors import TransientError
from stream_apps.usage_sink.settings import AnalyticsSettings


def away() -> list[str]:
    raise TransientError("Kafka does not answer")


def each(found: list[str]) -> list[tuple[str, str]]:
    return [(one, f"mend {one}") for one in found]


SOUND = Examination[list[str]]("disk", list, each, "")
WRONG = Examination[list[str]]("state", lambda: ["policy", "memory"], each, "")
AWAY = Examination[list[str]]("topics", away, each, "start it")


@pytest.mark.parametrize(
    ("examinations", "verdict", "status"),
    [
        ([SOUND], Verdict.SOUND, 0),
        ([SOUND, WRONG], Verdict.FINDINGS, 1),
        ([SOUND, AWAY], Verdict.COULD_NOT_LOOK, 2),
        ([AWAY, WRONG], Verdict.FINDINGS, 1),
    ],
)
def test_the_verdict_is_an_exit_status(examinations, verdict, status):
    report = examine(examinations)
    assert report.verdict is verdict
    assert report.verdict == status


def test_one_check_that_cannot_look_does_not_hide_the_others():
    report = examine([AWAY, WRONG, SOUND])
    assert [str(one) for one in report.findings] == [
        "state: policy; cure: mend policy",
        "state: memory; cure: mend memory",
    ]
    assert [(one.check, one.message, one.cure) for one in report.unseen] == [
        ("topics", "Kafka does not answer", "start it")
    ]
    assert report.sound == ("disk",)


def test_what_a_process_would_refuse_is_found_once_and_without_its_value(monkeypatch):
    monkeypatch.setenv("DRAGOMAN_WORKER_HIGH_SHARE", "17.3")
    monkeypatch.setenv("DRAGOMAN_LOCAL_ROOTT", "/secret")
    found = environment.misread([WorkerLimits, StackSettings, WorkerLimits])
    assert [one.variable for one in found] == ["DRAGOMAN_WORKER_HIGH_SHARE", ""]
    assert "unknown setting DRAGOMAN_LOCAL_ROOTT" in found[1].message
    assert not any("17.3" in one.message or "/secret" in one.message for one in found)


def test_settings_that_contradict_each_other_and_json_that_is_none_are_found(monkeypatch):
    monkeypatch.setenv("DRAGOMAN_ANALYTICS_HOST", "0.0.0.0")
    (found,) = environment.misread([AnalyticsSettings])
    assert "DRAGOMAN_ANALYTICS_TOKEN" in found.message
    monkeypatch.setenv("DRAGOMAN_ANALYTICS_PRICES", "{")
    (found,) = environment.misread([AnalyticsSettings])
    assert "prices" in found.message


def test_a_variable_that_nothing_reads_is_found_by_its_prefix():
    names = ["DRAGOMAN_INSTANCE", "DRAGOMAN_KAFKA_POOLS"]
    seen = ["PATH", "DRAGOMAN_INSTANCE", "DRAGOMAN_KAKFA_POOLS", "DRAGOMAN_KAFKA_X", "DRAGOMAN_INSTANZ"]
    assert environment.unread(seen, ["DRAGOMAN_", "DRAGOMAN_KAFKA_"], names) == [
        "DRAGOMAN_INSTANZ",
        "DRAGOMAN_KAKFA_POOLS",
    ]


def test_a_clock_is_compared_with_the_middle_of_the_round_trip():
    here = iter([100.0, 104.0])
    assert looking.clock("Redis", lambda: 105.0, lambda: next(here)) == Clock("Redis", 3.0, 4.0)


def test_secret_files_and_folders_are_looked_at_as_they_are(tmp_path):
    secret = tmp_path / "token"
    secret.write_text("x")
    secret.chmod(0o640)
    assert [one.mode for one in looking.secret_files([secret, tmp_path / "none"])] == [0o640]
    (found,) = looking.folders([tmp_path / "not" / "yet", tmp_path])
    assert found.path == tmp_path
    assert found.is_writable
    stats = os.statvfs(tmp_path)
    assert abs(found.free_megabytes - stats.f_bavail * stats.f_frsize // 1_000_000) < 500


def test_a_model_that_differs_from_its_checksums_is_found(tmp_path: Path):
    folder = tmp_path / "opus-mt-en-pt"
    folder.mkdir()
    for name in ("model.bin", "config.json"):
        (folder / name).write_text("{}")
    (folder / "SHA256SUMS").write_text(f"{'0' * 64}  model.bin\n")
    (found,) = [one for one in looking.models([tmp_path]) if one.path == folder]
    assert "differs from its checksum" in found.fault
    assert found.engine == "ctranslate2"


def test_without_an_installed_distribution_no_package_is_judged():
    assert versions.of_packages("no-such-distribution") == []


def test_the_doctor_looks_at_every_secret_that_the_stack_keeps(tmp_path):
    places = Places(KafkaSettings, RedisSettings, lambda: pytest.fail("nobody asks it"), tmp_path)
    (examination,) = [one for one in examinations(places, DoctorSettings()) if one.name == "secrets"]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "webhooks.secrets").touch(0o644)
    assert [one.path.name for one in examination.look()] == ["webhooks.secrets"]


@pytest.mark.parametrize(
    ("found", "oldest", "is_enough"),
    [
        ("7.0.15", "7.0", True),
        ("6.2", "7.0", False),
        ("10.0", "7.0", True),
        ("26.9.1.1", "26.2", True),
        ("26.9.1.10501.altinitystable", "26.2", True),
        ("25.8.1-lts", "26.2", False),
        ("", "3.0", False),
        ("unknown", "3.0", False),
    ],
)
def test_versions_are_compared_as_numbers(found, oldest, is_enough):
    assert versions.of_server("it", found, oldest).is_enough is is_enough


def test_a_package_that_is_too_old_or_missing_is_found(monkeypatch):
    lines = ["httpx>=9999", "no-such-package>=1", f"redis=={version('redis')}", 'chdb>=9999; extra == "local"']
    monkeypatch.setattr(versions, "requires", lambda _name: lines)
    assert [(one.name, one.is_enough) for one in versions.of_packages()] == [
        ("httpx", False),
        ("no-such-package", False),
        ("redis", True),
    ]


def test_the_command_stops_at_settings_that_are_refused(monkeypatch):
    monkeypatch.setenv("DRAGOMAN_DOCTOR_CLOCK_SECONDS", "-1")
    ran = CliRunner().invoke(app, ["doctor", "--json"])
    assert ran.exit_code == 1
    report = json.loads(ran.stdout)
    assert report["verdict"] == "findings"
    assert [one["check"] for one in report["findings"]] == ["configuration"]
    assert "DRAGOMAN_DOCTOR_CLOCK_SECONDS" in report["findings"][0]["message"]


def test_the_command_says_that_it_could_not_look_where_nothing_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("DRAGOMAN_LOCAL_ROOT", str(tmp_path))
    ran = CliRunner().invoke(app, ["doctor"])
    assert ran.exit_code == 2
    assert ran.stdout.count("could not look") == 4  # Kafka, the registry, Redis, ClickHouse
    assert "sound: configuration, packages, secrets, disk, models" in ran.stdout
