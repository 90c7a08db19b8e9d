"""The processes of the platform: order, number, and what each is told."""

import sys
from pathlib import Path

from deploy.local.machine import PortBook
from deploy.local.process_spec import AnswersOk, ProcessSpec, stages_of
from deploy.local.settings import StackSettings
from deploy.local.stack import addresses_of, build_processes, health_urls_of


def ports() -> PortBook:
    return PortBook(20_000, {}, lambda _: True)


def processes(book: PortBook | None = None, **settings: object) -> dict[str, ProcessSpec]:
    specs = build_processes(StackSettings(root=Path("/r"), **settings), book or ports())  # type: ignore[arg-type]  # checked when they are read
    return {spec.name: spec for spec in specs}


def test_stores_start_before_the_broker_then_the_topics_then_the_platform() -> None:
    stages = [{spec.name for spec in stage} for stage in stages_of(list(processes().values()))]

    assert stages == [
        {"kafka-files", "redis-cache", "redis-state"},
        {"kafka"},
        {"topics"},
        {
            "first-key",
            "intake-1",
            "assembly-1",
            "extraction",
            "merging",
            "repair",
            "analytics",
            "http",
            "autoscaler",
            "worker-1",
            "worker-2",
        },
    ]


def test_there_are_as_many_of_each_as_asked_for() -> None:
    names = set(processes(workers=3, assemblies=2, intakes=2))

    assert {"worker-3", "assembly-2", "intake-2"} <= names
    assert not {"worker-4", "assembly-3", "intake-3"} & names


def test_webhooks_are_delivered_where_it_is_asked_for_and_callbacks_are_refused_elsewhere() -> None:
    without, with_them = processes(), processes(webhooks=True)

    assert "webhooks" not in without
    assert not any("DRAGOMAN_REQUESTS_CALLBACK_SCHEMES" in one.environment for one in platform(without))
    assert with_them["webhooks"].command[-1] == "stream_apps.webhooks.main"
    for one in platform(with_them):
        assert one.environment["DRAGOMAN_REQUESTS_CALLBACK_SCHEMES"] == '["https"]'
        assert one.environment["DRAGOMAN_SIGNING_SECRETS_FILE"] == "/r/data/webhooks.secrets"


def platform(specs: dict[str, ProcessSpec]) -> list[ProcessSpec]:
    return [specs[name] for name in ("intake-1", "extraction", "http")]


def test_a_stack_of_stores_only_has_nothing_of_the_platform() -> None:
    assert set(processes(stores_only=True)) == {"kafka-files", "kafka", "redis-cache", "redis-state"}


def test_the_stores_get_the_processor_before_the_platform_and_workers_get_it_last() -> None:
    specs = processes()
    levels = [
        {specs[name].niceness for name in names}
        for names in (
            ("kafka", "redis-cache", "redis-state"),
            ("intake-1", "assembly-1", "repair", "analytics", "http", "autoscaler"),
            ("worker-1", "worker-2"),
        )
    ]

    ((stores,), (platform,), (workers,)) = levels
    assert 0 == stores < platform < workers


def test_every_process_of_the_platform_is_told_who_it_is_and_where_the_stores_are() -> None:
    book = ports()
    specs = processes(book)
    addresses = addresses_of(StackSettings(root=Path("/r")), book)
    told = specs["worker-2"].environment

    assert told["DRAGOMAN_INSTANCE"] == "worker-2"
    assert told["DRAGOMAN_KAFKA_BOOTSTRAP"] == addresses.kafka_bootstrap
    assert told["DRAGOMAN_REDIS_CACHE_URL"] == addresses.redis_cache_url
    assert told["DRAGOMAN_REDIS_STATE_URL"] == addresses.redis_state_url
    assert told["DRAGOMAN_OBJECTS_URL"] == "file:///r/data/objects"
    assert told["OMP_NUM_THREADS"] == "1"


def test_only_the_analytics_process_opens_its_database() -> None:
    openers = [name for name, spec in processes().items() if "DRAGOMAN_ANALYTICS_DSN" in spec.environment]

    assert openers == ["analytics"]
    assert processes()["analytics"].environment["DRAGOMAN_ANALYTICS_DSN"] == "chdb:///r/data/analytics"


def test_only_the_analytics_process_is_told_where_its_token_is() -> None:
    found = {name: spec.environment.get("DRAGOMAN_ANALYTICS_TOKEN_FILE") for name, spec in processes().items()}

    assert {name: path for name, path in found.items() if path} == {"analytics": "/r/data/analytics.token"}


def test_the_http_process_is_ready_where_it_serves() -> None:
    book = ports()
    http = processes(book)["http"]
    url = addresses_of(StackSettings(root=Path("/r")), book).http_url

    assert http.ready == AnswersOk(f"{url}/ready")
    assert url.endswith(f":{http.environment['DRAGOMAN_HTTP_PORT']}")
    assert health_urls_of([http]) == {"http": url}


def test_no_two_processes_share_a_health_port() -> None:
    health_ports = [spec.environment.get("DRAGOMAN_HEALTH_PORT") for spec in processes(workers=4).values()]
    given = [port for port in health_ports if port]

    assert len(given) == 12
    assert len(set(given)) == 12


def test_a_module_is_run_by_this_interpreter_and_not_from_the_users_folder() -> None:
    assert processes()["repair"].command == (sys.executable, "-P", "-m", "stream_apps.repair.main")


def test_the_cache_forgets_and_the_state_does_not() -> None:
    specs = processes(cache_megabytes=64)
    cache, state = (" ".join(specs[name].command) for name in ("redis-cache", "redis-state"))

    assert "--maxmemory 64mb --maxmemory-policy allkeys-lru --appendonly no" in cache
    assert "--maxmemory-policy noeviction --appendonly yes --appendfsync everysec" in state


def test_the_state_is_started_by_the_script_that_puts_aside_what_cannot_be_read() -> None:
    shell, script, server, *_ = processes()["redis-state"].command

    assert (shell, Path(script).name) == ("sh", "start_state.sh")
    assert Path(script).is_file()
    assert server == processes()["redis-cache"].command[0]


def test_equal_settings_and_ports_give_equal_processes() -> None:
    book = ports()

    assert processes(book) == processes(book)


def test_more_workers_leave_the_other_processes_as_they_are() -> None:
    book = ports()
    before, after = processes(book, workers=1), processes(book, workers=3)

    assert before.items() <= after.items()
