"""Prometheus and Alertmanager beside the stack: their processes, their files, and what they scrape.

They take the rules of deploy/prometheus as they are. Prometheus reads its targets from a file, which the
supervisor writes anew whenever the number of workers changes.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deploy.local.errors import StackError
from deploy.local.machine import PortBook
from deploy.local.process_spec import HOST, AnswersOk, ProcessSpec
from deploy.local.settings import StackSettings
from deploy.local.state_files import write_atomically

RULES = Path(__file__).parents[1] / "prometheus"
PROMETHEUS, ALERTMANAGER = "prometheus", "alertmanager"

# Debian's name first.
_PROGRAMS = {
    PROMETHEUS: ("prometheus",),
    ALERTMANAGER: ("prometheus-alertmanager", "alertmanager"),
}
_INSTALL = "apt-get install prometheus prometheus-alertmanager"
_STAGE, _NICENESS = 5, 5


def check_programs(settings: StackSettings) -> None:
    """Raise StackError for the first program that is asked for and missing."""
    for name in _PROGRAMS if settings.observe else ():
        find_program(name, settings)


def find_program(name: str, settings: StackSettings) -> str:
    """Return the path of the program of that name. Raises StackError, with the cure, where there is none."""
    chosen = {PROMETHEUS: settings.prometheus_path, ALERTMANAGER: settings.alertmanager_path}[name]
    candidates = (chosen,) if chosen else _PROGRAMS[name]
    found = next((path for one in candidates if (path := shutil.which(one))), None)
    if found is None:
        setting = f"DRAGOMAN_LOCAL_{name.upper()}_PATH"
        raise StackError(
            f"no {' or '.join(candidates)} found", f"install it ({_INSTALL}), or name it in {setting}"
        )
    return found


def observing_processes(settings: StackSettings, ports: PortBook) -> list[ProcessSpec]:
    """Return both processes; none where they are not asked for. Raises StackError for a missing program."""
    if not settings.observe:
        return []
    prometheus, alertmanager = (find_program(name, settings) for name in (PROMETHEUS, ALERTMANAGER))
    data = settings.data
    return [
        _process(
            ALERTMANAGER,
            ports,
            (
                alertmanager,
                f"--config.file={_alertmanager_config(settings)}",
                f"--storage.path={data / ALERTMANAGER}",
            ),
            # One alone needs no cluster, and its port would be open to the network.
            ("--cluster.listen-address=", "--log.level=warn"),
        ),
        _process(
            PROMETHEUS,
            ports,
            (prometheus, f"--config.file={_folder(settings) / 'prometheus.json'}"),
            (f"--storage.tsdb.path={data / PROMETHEUS}", f"--storage.tsdb.retention.time={settings.metric_days}d"),
            ("--log.level=warn", "--enable-feature=exemplar-storage"),
        ),
    ]


def write_observing_files(settings: StackSettings, ports: PortBook, specs: Sequence[ProcessSpec]) -> None:
    """Write the configuration of Prometheus and its targets; the latter count at once, also while it runs."""
    if settings.observe:
        folder = _folder(settings)
        write_atomically(folder / "targets.json", json.dumps(targets_of(specs), indent=2))
        write_atomically(folder / "prometheus.json", json.dumps(prometheus_config(settings, ports), indent=2))


def targets_of(specs: Sequence[ProcessSpec]) -> list[dict[str, Any]]:
    """Return the health port of each process of ours, with its name as label `instance`."""
    ports = {spec.name: spec.environment.get("DRAGOMAN_HEALTH_PORT") for spec in specs}
    return [{"targets": [f"{HOST}:{port}"], "labels": {"instance": name}} for name, port in ports.items() if port]


def prometheus_config(settings: StackSettings, ports: PortBook) -> dict[str, Any]:
    """Return the configuration of Prometheus; JSON is YAML, too."""
    every = f"{round(settings.scrape_seconds * 1000)}ms"
    targets = {"files": [str(_folder(settings) / "targets.json")]}
    alertmanager = {"targets": [f"{HOST}:{ports.port(ALERTMANAGER)}"]}
    return {
        "global": {"scrape_interval": every, "evaluation_interval": every},
        "rule_files": [str(RULES / name) for name in ("recording_rules.yml", "alert_rules.yml")],
        "alerting": {"alertmanagers": [{"static_configs": [alertmanager]}]},
        "scrape_configs": [{"job_name": "dragoman", "file_sd_configs": [targets]}],
    }


def _process(name: str, ports: PortBook, *arguments: tuple[str, ...]) -> ProcessSpec:
    address = f"{HOST}:{ports.port(name)}"
    command = tuple(argument for part in arguments for argument in part)
    return ProcessSpec(
        name=name,
        command=(*command, f"--web.listen-address={address}"),
        stage=_STAGE,
        ready=AnswersOk(f"http://{address}/-/ready"),
        niceness=_NICENESS,
    )


def _alertmanager_config(settings: StackSettings) -> Path:
    return (settings.alertmanager_config or RULES / "alertmanager.yml").absolute()


def _folder(settings: StackSettings) -> Path:
    return settings.root / "observing"
