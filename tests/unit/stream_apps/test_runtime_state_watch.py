"""The rule of the state watch on servers that are only described."""

from typing import Any

import pytest
import redis.exceptions

from connectors.telemetry.health import Health
from schemas.errors import FatalError
from stream_apps.runtime.state_watch import StateServer, StateWatch, read_state_server


class Server:
    """What INFO says, section by section."""

    def __init__(self, policy: str = "noeviction", evicted: int = 0, mode: str = "standalone") -> None:
        self.sections: dict[str, dict[str, Any]] = {
            "memory": {"maxmemory_policy": policy},
            "stats": {"evicted_keys": evicted},
            "server": {"redis_mode": mode},
        }
        self.is_away = False

    def info(self, section: str) -> dict[str, Any]:
        if self.is_away:
            raise redis.exceptions.ConnectionError("refused")
        return self.sections[section]


def watch(server: Any, health: Health | None = None) -> StateWatch:
    return StateWatch(server, health or Health(), end=lambda: None)


@pytest.mark.parametrize(
    "policy",
    [
        "volatile-lru",
        "volatile-lfu",
        "volatile-ttl",
        "volatile-random",
        "allkeys-lru",
        "allkeys-lfu",
        "allkeys-random",
    ],
)
def test_every_policy_that_evicts_is_refused_with_its_cure(policy):
    with pytest.raises(FatalError, match=f"maxmemory-policy {policy}.*set maxmemory-policy noeviction"):
        StateServer(policy, 0).check()


def test_a_server_that_keeps_or_does_not_tell_is_accepted():
    StateServer("noeviction", 0).check()
    StateServer("", 0).check()


def test_a_cluster_is_refused_because_its_parts_are_lost_one_by_one():
    server: Any = Server(mode="cluster")
    with pytest.raises(FatalError, match="one server"):
        read_state_server(server).check()


def test_a_state_that_is_away_at_the_start_does_not_end_the_process():
    server = Server()
    server.is_away = True
    watch(server).first_look()


def test_keys_evicted_before_the_start_are_no_news_and_later_ones_are():
    server, health = Server(evicted=7), Health()
    watched = watch(server, health)
    watched.first_look()
    health.ready()
    watched.look()
    assert health.reason == ""
    server.sections["stats"]["evicted_keys"] = 10
    watched.look()
    assert "evicted 3 keys" in health.reason


def test_the_loss_holds_against_who_says_ready_and_ends_with_the_first_look_without_one():
    server, health = Server(), Health()
    watched = watch(server, health)
    watched.first_look()
    server.sections["stats"]["evicted_keys"] = 1
    watched.look()
    health.ready()
    assert "evicted" in health.reason
    watched.look()
    assert health.reason == ""


def test_a_server_that_was_started_again_has_evicted_nothing():
    server, health = Server(evicted=9), Health()
    watched = watch(server, health)
    watched.first_look()
    health.ready()
    server.sections["stats"]["evicted_keys"] = 2
    watched.look()
    assert health.reason == ""
