"""The compose file starts what there is, with settings that the processes know."""

import importlib
import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # no stubs are installed

from connectors.settings import PREFIX, ProcessSettings, Section
from deploy.local.kafka_broker import SHORT_INTERNAL_TOPICS
from stream_apps.runtime.process import STOP_SECONDS

ROOT = Path(__file__).parents[3]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
OURS = {name: service for name, service in COMPOSE["services"].items() if service["image"] == "dragoman:latest"}
SERVERS = COMPOSE["services"].keys() - OURS.keys()


def test_every_process_of_the_platform_has_a_service() -> None:
    ours = {
        "topics",
        "intake",
        "worker",
        "assembly",
        "extraction",
        "merging",
        "repair",
        "webhooks",
        "analytics",
        "http",
    }
    assert OURS.keys() == ours
    stores = {"kafka", "schema-registry", "redis-cache", "redis-state", "clickhouse"}
    assert stores | {"prometheus", "alertmanager", "grafana", "jaeger"} == SERVERS


def test_prometheus_scrapes_every_process_at_the_port_that_all_are_given() -> None:
    config = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus_of_compose.yml").read_text())
    (targets,) = config["scrape_configs"][0]["dns_sd_configs"]
    assert set(targets["names"]) == OURS.keys() - {"topics"}
    assert {one["environment"]["DRAGOMAN_HEALTH_PORT"] for one in OURS.values()} == {targets["port"]}


def test_files_that_a_service_mounts_exist() -> None:
    mounts = [mount for one in COMPOSE["services"].values() for mount in one.get("volumes", ())]
    files = [mount.partition(":")[0] for mount in mounts if mount.startswith("./")]
    assert files
    assert [file for file in files if not (ROOT / file).exists()] == []


def test_the_user_of_the_image_may_write_where_the_services_do() -> None:
    image = (ROOT / "deploy" / "docker" / "Dockerfile").read_text()
    made = re.search(r"install -d -o dragoman -g dragoman (.+?) &&", image)
    journal = re.search(r"DRAGOMAN_WORKER_JOURNAL_PATH=(\S+)", image)
    assert made is not None
    assert journal is not None
    mounted = {mount.split(":")[1] for one in OURS.values() for mount in one["volumes"]}
    assert {*mounted, journal[1]} == set(made[1].split())


def test_the_image_has_the_command_that_the_pages_name() -> None:
    image = (ROOT / "deploy" / "docker" / "Dockerfile").read_text()
    assert "exec python -m producers.cli.main" in image
    assert "> /usr/local/bin/dragoman" in image


def test_the_broker_keeps_its_internal_topics_as_short_as_that_of_the_one_machine_stack() -> None:
    environment = COMPOSE["services"]["kafka"]["environment"]
    wanted = {f"KAFKA_{key.replace('.', '_').upper()}": value for key, value in SHORT_INTERNAL_TOPICS.items()}
    assert {key: environment.get(key) for key in wanted} == wanted


@pytest.mark.parametrize("name", OURS)
def test_a_service_runs_a_module_that_exists(name: str) -> None:
    python, flag, module, *_rest = OURS[name]["command"]
    assert (python, flag) == ("python", "-m")
    assert importlib.util.find_spec(module) is not None


@pytest.mark.parametrize("name", OURS)
def test_a_service_waits_for_what_it_needs_in_the_right_way(name: str) -> None:
    for other, how in OURS[name]["depends_on"].items():
        ends = COMPOSE["services"][other].get("restart") == "no"
        assert how["condition"] == ("service_completed_successfully" if ends else "service_healthy"), (name, other)


@pytest.mark.parametrize("name", sorted(SERVERS))
def test_a_server_has_a_health_check(name: str) -> None:
    assert COMPOSE["services"][name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", OURS)
def test_a_service_is_given_settings_that_the_code_knows(name: str) -> None:
    for module in ("stream_apps.usage_sink.settings", "producers.http.settings"):
        importlib.import_module(module)  # makes its sections known

    sections = {cls.model_config["env_prefix"]: cls for cls in _subclasses(Section)}
    of_all = {f"{PREFIX}{field}".upper() for field in ProcessSettings.model_fields}
    for key in OURS[name]["environment"].keys() - of_all:
        prefix = max((prefix for prefix in sections if key.startswith(prefix)), key=len, default=None)
        assert prefix not in (None, PREFIX), key
        assert key.removeprefix(prefix).lower() in sections[prefix].model_fields, key


@pytest.mark.parametrize("name", OURS)
def test_a_service_gets_the_stated_time_to_stop(name: str) -> None:
    assert OURS[name]["stop_grace_period"] == f"{STOP_SECONDS:.0f}s"


def test_the_state_never_evicts_and_the_cache_always_may() -> None:
    command = {name: " ".join(COMPOSE["services"][name]["command"]) for name in ("redis-cache", "redis-state")}
    assert "allkeys-lru" in command["redis-cache"]
    assert "noeviction" in command["redis-state"]
    assert "--appendonly yes" in command["redis-state"]


def test_the_state_is_started_by_the_script_of_this_checkout_and_not_as_root() -> None:
    state = COMPOSE["services"]["redis-state"]
    shell, script, server, *_ = state["command"]
    assert (shell, server, state["user"]) == ("sh", "valkey-server", "valkey")
    mounted = next(volume.split(":") for volume in state["volumes"] if volume.split(":")[1] == script)
    assert (ROOT / mounted[0]).is_file()


def test_docker_compose_itself_accepts_the_file() -> None:
    if not _has_compose():
        # A bare machine has no compose plugin, and no registry to get one from; the checks above still hold.
        pytest.skip("docker compose is not installed")
    subprocess.run(["docker", "compose", "config", "-q"], cwd=ROOT, check=True)


def _subclasses(cls: type[Section]) -> list[type[Section]]:
    return [found for direct in cls.__subclasses__() for found in (direct, *_subclasses(direct))]


def _has_compose() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0
