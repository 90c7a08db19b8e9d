"""The state behind Sentinels: clients follow the primary, and a fail-over is seen as another state."""

import asyncio
import subprocess
import time
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import redis

from connectors.redis.client import open_state, open_state_async
from connectors.redis.settings import RedisSettings
from connectors.redis.state_epoch import StateEpoch, StateLostError
from schemas.errors import TransientError
from stream_apps.runtime.process import now_ms
from stream_apps.runtime.state_watch import read_state_server
from tests.ports import free_port
from tests.valkey import Valkey, _binary, _wait_for

FAIL_OVER_SECONDS = 40


@contextmanager
def sentinel(primary, folder):
    port = free_port()
    (folder / "sentinel.conf").write_text(
        f"port {port}\nbind 127.0.0.1\ndir {folder}\nsentinel monitor state 127.0.0.1 {primary.port} 1\n"
        "sentinel down-after-milliseconds state 500\nsentinel failover-timeout state 3000\n"
    )
    process = subprocess.Popen([_binary(), str(folder / "sentinel.conf"), "--sentinel"], stdout=subprocess.DEVNULL)
    try:
        _wait_for(f"redis://127.0.0.1:{port}")
        yield port
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def place(tmp_path):
    """A primary, its replica, one Sentinel, and the settings that name them."""
    with ExitStack() as stack:
        servers = []
        for name in ("primary", "replica"):
            folder = tmp_path / name
            folder.mkdir()
            server = Valkey(str(folder), "--repl-diskless-sync-delay", "0")
            server.start()
            stack.callback(server.kill)
            servers.append(server)
        primary, replica = servers
        with redis.Redis.from_url(replica.url) as client:
            client.replicaof("127.0.0.1", primary.port)
            until(lambda: client.info("replication")["master_link_status"] == "up")
        port = stack.enter_context(sentinel(primary, tmp_path))
        with redis.Redis(port=port) as asked:
            until(lambda: asked.sentinel_slaves("state"))
        yield primary, RedisSettings(state_url=f"redis+sentinel://127.0.0.1:{port}/state/0")


def until(is_so):
    end = time.monotonic() + FAIL_OVER_SECONDS
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_clients_follow_the_primary_and_what_was_known_of_the_state_is_void(place):
    primary, settings = place
    with open_state(settings) as state:
        state.set("done:{acme/1}", "x")
        assert read_state_server(state).policy == "noeviction"
        epoch = StateEpoch(state, now_ms)
        assert epoch.settle(epoch.begin(epoch.look()))
        epoch.adopt(epoch.look())
        epoch.confirm()
        assert state.wait(1, 5000) == 1
        primary.kill()

        def is_told_lost():
            try:
                epoch.confirm()
            except StateLostError:
                return True
            except TransientError:
                return False
            raise AssertionError("the state of another server passed for the known one")

        until(is_told_lost)
        assert state.get("done:{acme/1}") == b"x"
    assert asyncio.run(read_from_loop(settings)) == b"x"


async def read_from_loop(settings):
    async with open_state_async(settings) as state:
        found = await state.get("done:{acme/1}")
        # Open until the process ends; here the end of the loop is seen.
        pool: Any = state.connection_pool
        for sentinel in pool.sentinel_manager.sentinels:
            await sentinel.aclose()
        return found
