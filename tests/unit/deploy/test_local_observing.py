"""Prometheus and Alertmanager of the one-machine stack: their commands, their files, what they scrape."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.local.errors import StackError
from deploy.local.machine import PortBook
from deploy.local.main import up
from deploy.local.observing import RULES, observing_processes, write_observing_files
from deploy.local.settings import StackSettings
from deploy.local.stack import addresses_of, build_processes

PROGRAM = "/bin/true"


def ports() -> PortBook:
    return PortBook(20_000, {}, lambda _: True)


def settings(root: Path, **changes: object) -> StackSettings:
    paths = {"prometheus_path": PROGRAM, "alertmanager_path": PROGRAM}
    return StackSettings.model_validate({"root": root, "observe": True, **paths, **changes})


def test_nothing_observes_unless_it_is_asked_for(tmp_path):
    quiet = settings(tmp_path, observe=False, prometheus_path="/nope")
    assert observing_processes(quiet, ports()) == []
    write_observing_files(quiet, ports(), [])
    assert not (tmp_path / "observing").exists()
    assert addresses_of(quiet, ports()).prometheus_url == ""


def test_both_start_last_and_listen_on_this_machine_only(tmp_path):
    book = ports()
    specs = {spec.name: spec for spec in build_processes(settings(tmp_path), book)}
    assert specs["prometheus"].stage == specs["alertmanager"].stage == max(spec.stage for spec in specs.values())
    for name in ("prometheus", "alertmanager"):
        assert f"--web.listen-address=127.0.0.1:{book.port(name)}" in specs[name].command
    assert "--cluster.listen-address=" in specs["alertmanager"].command


def test_every_process_of_ours_is_scraped_under_its_name(tmp_path):
    book, ours = ports(), settings(tmp_path, workers=3)
    specs = build_processes(ours, book)
    write_observing_files(ours, book, specs)
    targets = json.loads((tmp_path / "observing" / "targets.json").read_text())
    found = {one["labels"]["instance"]: one["targets"] for one in targets}
    assert found.keys() == {
        *("intake-1", "assembly-1", "extraction", "merging", "repair", "analytics", "http", "autoscaler"),
        *("worker-1", "worker-2", "worker-3"),
    }
    assert found["worker-3"] == [f"127.0.0.1:{book.port('worker-3-health')}"]


@pytest.mark.parametrize("name", ["prometheus", "alertmanager"])
def test_a_missing_program_is_named_with_its_cure_before_anything_starts(tmp_path, name):
    ours = settings(tmp_path, **{f"{name}_path": "/nope"})
    with pytest.raises(StackError, match="apt-get install prometheus") as raised:
        up(ours, detach=True, on_progress=lambda *_: None)
    assert f"DRAGOMAN_LOCAL_{name.upper()}_PATH" in str(raised.value)
    assert not (tmp_path / "logs").exists()


def checked(program: str, *command: str | Path) -> None:
    path = shutil.which(program)
    if path is None:
        assert not os.environ.get("CI"), (
            f"{program} is missing: apt-get install prometheus prometheus-alertmanager"
        )
        pytest.skip(f"{program} is missing")
    done = subprocess.run([path, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_accepts_what_is_written(tmp_path):
    book, ours = ports(), settings(tmp_path, scrape_seconds=0.5)
    write_observing_files(ours, book, build_processes(ours, book))
    checked("promtool", "check", "config", tmp_path / "observing" / "prometheus.json")


def test_amtool_accepts_the_configuration_of_alerts():
    checked("amtool", "check-config", RULES / "alertmanager.yml")
