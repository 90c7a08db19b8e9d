"""Each check of the doctor on facts that are sound and on facts that are not."""

from dataclasses import replace
from pathlib import Path

import pytest

from connectors.kafka.topic_check import Difference
from deploy.doctor import checks
from deploy.doctor.facts import (
    Clock,
    Configuration,
    Folder,
    Misread,
    ModelFolder,
    RedisServer,
    SecretFile,
    ServerVersion,
    TopicPermissions,
)
from deploy.doctor.settings import DoctorSettings

LIMITS = DoctorSettings()
CACHE = RedisServer("9.1", "allkeys-lru", max_bytes=1_000_000, is_on_disk=False)
STATE = RedisServer("9.1", "noeviction")


def with_state(**changes: object) -> RedisServer:
    return RedisServer(**{**vars(STATE), **changes})


CONFIGURATIONS = [
    (Configuration(misread=(Misread("DRAGOMAN_HTTP_PORT", "must be below 65536"),)), "DRAGOMAN_HTTP_PORT"),
    (Configuration(misread=(Misread("", "these two exclude each other"),)), "the settings"),
    (Configuration(unread=("DRAGOMAN_KAKFA_POOLS",), known=("DRAGOMAN_KAFKA_POOLS",)), "DRAGOMAN_KAFKA_POOLS"),
    (Configuration(unread=("DRAGOMAN_X",)), "DRAGOMAN_X is read by nothing"),
    (Configuration(pool="gpu", pools=("default", "bulk")), "default, bulk"),
    (Configuration(price_key="h100/spot", prices={"cpu/spot": 0.1}), "h100/spot has no price"),
]


@pytest.mark.parametrize(("found", "said"), CONFIGURATIONS)
def test_a_configuration_that_cannot_work_is_named(found, said):
    ((message, cure),) = checks.check_configuration(found)
    assert said in f"{message} {cure}"
    assert cure


def test_a_sound_configuration_is_not_mentioned():
    assert list(checks.check_configuration(Configuration(prices={"cpu/on_demand": 0.1}))) == []


def test_a_difference_of_a_topic_keeps_its_cure():
    found = [Difference("translation.results", "retention.ms", "1", "2", "kafka-configs.sh ...")]
    assert list(checks.check_topics(found)) == [
        ("translation.results: retention.ms is 1, the catalogue says 2", "kafka-configs.sh ...")
    ]
    assert list(checks.check_topics([])) == []


def test_a_version_that_is_too_old_is_named():
    old = ServerVersion("Kafka", "2.8", "3.0 or newer", is_enough=False, cure="upgrade Kafka")
    enough = ServerVersion("Kafka", "4.3", "3.0 or newer", is_enough=True, cure="upgrade Kafka")
    assert list(checks.check_versions([old, enough])) == [
        ("Kafka is 2.8, 3.0 or newer is needed", "upgrade Kafka")
    ]


@pytest.mark.parametrize(("ahead", "direction"), [(1.6, "1.6 s ahead of"), (-2.0, "2.0 s behind")])
def test_a_clock_that_is_wrong_is_named_with_its_direction(ahead, direction):
    ((message, cure),) = checks.check_clocks([Clock("ClickHouse", ahead, 0.2)], LIMITS)
    assert direction in message
    assert "NTP" in cure


@pytest.mark.parametrize("sound", [Clock("x", 0.9, 0.0), Clock("x", -0.9, 0.0), Clock("x", 1.4, 1.0)])
def test_a_clock_is_right_within_the_limit_and_half_a_round_trip(sound):
    assert list(checks.check_clocks([sound], LIMITS)) == []


def test_an_operation_that_is_missing_is_named_with_the_command_that_allows_it():
    found = [TopicPermissions("translation.usage", frozenset({"READ", "DESCRIBE"}))]
    ((message, cure),) = checks.check_permissions(found)
    assert "WRITE translation.usage" in message
    assert "--operation Write --topic translation.usage" in cure


@pytest.mark.parametrize(
    "operations", [None, frozenset({"ALL"}), frozenset({"READ", "WRITE", "DESCRIBE", "ALTER"})]
)
def test_enough_permissions_are_not_mentioned(operations):
    assert list(checks.check_permissions([TopicPermissions("translation.usage", operations)])) == []


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o604])
def test_a_secret_that_others_can_read_is_named(mode):
    ((message, cure),) = checks.check_secret_files([SecretFile(Path("/x/token"), mode)])
    assert oct(mode)[2:] in message
    assert cure == "chmod 600 /x/token"


def test_a_secret_for_its_owner_only_is_not_mentioned():
    assert list(checks.check_secret_files([SecretFile(Path("/x"), 0o600), SecretFile(Path("/y"), 0o400)])) == []


def test_a_cache_that_is_a_cluster_is_named():
    ((message, cure),) = checks.check_cache(replace(CACHE, is_cluster=True))
    assert "is a cluster" in message
    assert "DRAGOMAN_REDIS_CACHE_URL" in cure


@pytest.mark.parametrize(
    ("cache", "said"),
    [
        (RedisServer("9.1", "allkeys-lru"), "no maxmemory"),
        (RedisServer("9.1", "noeviction", max_bytes=1), "noeviction"),
        (RedisServer("9.1", "volatile-lru", max_bytes=1), "volatile-lru"),
    ],
)
def test_a_cache_that_does_not_make_room_is_named(cache, said):
    ((message, cure),) = checks.check_cache(cache)
    assert said in message
    assert cure.startswith("set maxmemory")


STATES = [
    ({"policy": "allkeys-lru"}, "answered twice"),
    ({"is_cluster": True}, "cluster"),
    ({"evicted_keys": 7}, "7 keys"),
    ({"is_on_disk": False}, "on disk"),
    ({"last_write_failed": True}, "could not write"),
    ({"max_bytes": 100_000_000, "used_bytes": 81_000_000}, "81 of 100 MB"),
]


@pytest.mark.parametrize(("changes", "said"), STATES)
def test_a_state_that_may_forget_is_named(changes, said):
    ((message, cure),) = checks.check_state(with_state(**changes), LIMITS)
    assert said in message
    assert cure


def test_sound_servers_are_not_mentioned():
    assert list(checks.check_cache(CACHE)) == []
    assert list(checks.check_state(STATE, LIMITS)) == []
    # One that does not tell its policy is believed, as the processes do.
    assert list(checks.check_state(with_state(policy=""), LIMITS)) == []
    assert list(checks.check_state(with_state(max_bytes=100, used_bytes=80), LIMITS)) == []


def test_a_folder_without_space_or_permission_is_named():
    found = [Folder(Path("/a"), 999, is_writable=True), Folder(Path("/b"), 1000, is_writable=False)]
    messages = [message for message, _ in checks.check_disk(found, LIMITS)]
    assert messages == [
        "/a has 999 MB free, 1000 are wanted (DRAGOMAN_DOCTOR_FREE_MEGABYTES)",
        "/b cannot be written by this user",
    ]
    assert list(checks.check_disk([Folder(Path("/a"), 1000, is_writable=True)], LIMITS)) == []


def test_models_that_are_missing_broken_or_without_engine_are_named():
    ((none, install),) = checks.check_models([])
    assert "no translation model" in none
    assert "DRAGOMAN_WORKER_MODEL_PATHS" in install
    broken = ModelFolder(Path("/m"), "bergamot", engine_is_installed=True, fault="/m/model.bin differs")
    foreign = ModelFolder(Path("/n"), "transformers", engine_is_installed=False)
    found = list(checks.check_models([broken, foreign]))
    assert found[0] == ("/m/model.bin differs", "fetch the model in /m again")
    assert found[1][1] == "pip install 'dragoman[transformers]'"
    assert list(checks.check_models([ModelFolder(Path("/m"), "bergamot", engine_is_installed=True)])) == []
