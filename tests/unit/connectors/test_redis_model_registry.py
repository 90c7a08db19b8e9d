import asyncio
from typing import Any

from connectors.redis.presence import AsyncModelRegistry, ModelRegistry


class Pipeline:
    def __init__(self, server):
        self.server = server

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def hset(self, name, mapping):
        self.server.hashes.setdefault(name, {}).update(mapping)

    def expire(self, name, seconds):
        self.server.expiries[name] = seconds

    def execute(self):
        return []


class Server:
    """The few commands of a hash; bytes come back, as from Redis."""

    def __init__(self):
        self.hashes = {}
        self.expiries = {}
        self.reads = 0

    def pipeline(self, transaction):
        return Pipeline(self)

    def hgetall(self, name):
        self.reads += 1
        return {key.encode(): value.encode() for key, value in self.hashes.get(name, {}).items()}


class AsyncServer:
    def __init__(self, server):
        self.server = server

    async def hgetall(self, name):
        return self.server.hgetall(name)


def test_workers_publish_what_they_serve_and_others_read_it():
    server: Any = Server()
    ModelRegistry(server, clock=lambda: 100.0).publish("default", {"en-pt": "mozilla:1", "pt-en": "mozilla:2"}, 30)
    assert ModelRegistry(server, clock=lambda: 129.0).read("default") == {
        "en-pt": "mozilla:1",
        "pt-en": "mozilla:2",
    }
    assert server.expiries == {"models:default": 30}
    assert ModelRegistry(server).read("other") == {}


def test_a_pair_that_nobody_publishes_any_more_disappears_by_itself():
    server: Any = Server()
    ModelRegistry(server, clock=lambda: 100.0).publish("default", {"en-pt": "1"}, 30)
    ModelRegistry(server, clock=lambda: 125.0).publish("default", {"pt-en": "1"}, 30)
    assert ModelRegistry(server, clock=lambda: 131.0).read("default") == {"pt-en": "1"}


def test_nothing_to_serve_is_not_published():
    server: Any = Server()
    ModelRegistry(server).publish("default", {}, 30)
    assert server.hashes == {}


def test_an_event_loop_asks_once_in_a_while_only():
    server: Any = Server()
    now = [100.0]
    ModelRegistry(server, clock=lambda: now[0]).publish("default", {"en-pt": "1"}, 30)
    asynchronous: Any = AsyncServer(server)
    registry = AsyncModelRegistry(asynchronous, cache_seconds=5, clock=lambda: now[0])

    async def read():
        return await registry.read("default")

    assert asyncio.run(read()) == {"en-pt": "1"}
    now[0] = 104.0
    asyncio.run(read())
    assert server.reads == 1
    now[0] = 105.0
    asyncio.run(read())
    assert server.reads == 2
