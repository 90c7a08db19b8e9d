import asyncio
from typing import Any

from connectors.redis.presence import AsyncModelRegistry, ModelRegistry
from schemas.catalogue import Catalogue, LanguageSet, sets_of
from schemas.languages import parse_pair


class Pipeline:
    def __init__(self, server):
        self.server = server

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def hset(self, name, field, value):
        self.server.hashes.setdefault(name, {})[field] = value

    def expire(self, name, seconds):
        self.server.expiries[name] = seconds

    def hdel(self, name, *fields):
        for one in fields:
            del self.server.hashes[name][one.decode()]

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


def sets(*pairs):
    return sets_of(map(parse_pair, pairs), [f"mozilla:{pair}" for pair in pairs])


def catalogue(*pairs):
    return Catalogue(sets(*pairs))


def test_workers_publish_what_they_serve_and_others_read_it():
    server: Any = Server()
    ModelRegistry(server, clock=lambda: 100.0).publish("default", sets("en-pt", "pt-en"), 30)
    assert ModelRegistry(server, clock=lambda: 129.0).read("default") == catalogue("en-pt", "pt-en")
    assert server.expiries == {"models:default": 30}
    assert not ModelRegistry(server).read("other")


def test_a_model_that_nobody_publishes_any_more_disappears_by_itself():
    server: Any = Server()
    ModelRegistry(server, clock=lambda: 100.0).publish("default", sets("en-pt"), 30)
    ModelRegistry(server, clock=lambda: 125.0).publish("default", sets("pt-en"), 30)
    assert ModelRegistry(server, clock=lambda: 131.0).read("default") == catalogue("pt-en")


def test_equal_workers_share_an_entry_and_others_have_their_own():
    server: Any = Server()
    for pair in ("en-pt", "en-pt", "pt-en"):
        ModelRegistry(server, clock=lambda: 100.0).publish("default", sets(pair), 30)
    assert len(server.hashes["models:default"]) == 2
    assert ModelRegistry(server, clock=lambda: 101.0).read("default").pairs(10) == ["en-pt", "pt-en"]


def test_200_languages_are_a_few_kilobytes_and_not_40_000_pairs():
    server: Any = Server()
    names = frozenset(f"{one}{other}" for one in "abcdefghijklmnopqrst" for other in "abcdefghij")
    ModelRegistry(server).publish("default", [LanguageSet(names, names, "nllb")], 30)
    assert sum(map(len, server.hashes["models:default"].values())) < 3000
    assert ModelRegistry(server).read("default") == Catalogue([LanguageSet(names, names, "nllb")])


def test_entries_of_workers_that_are_long_gone_are_deleted_while_others_live():
    server: Any = Server()
    ModelRegistry(server, clock=lambda: 100.0).publish("default", sets("en-pt"), 30)
    ModelRegistry(server, clock=lambda: 200.0).publish("default", sets("pt-en"), 30)
    assert len(server.hashes["models:default"]) == 2
    ModelRegistry(server, clock=lambda: 1000.0).publish("default", sets("pt-en"), 30)
    assert len(server.hashes["models:default"]) == 1


def test_nothing_to_serve_is_not_published():
    server: Any = Server()
    ModelRegistry(server).publish("default", [], 30)
    assert server.hashes == {}


def test_an_event_loop_asks_once_in_a_while_only():
    server: Any = Server()
    now = [100.0]
    ModelRegistry(server, clock=lambda: now[0]).publish("default", sets("en-pt"), 30)
    server.reads = 0
    asynchronous: Any = AsyncServer(server)
    registry = AsyncModelRegistry(asynchronous, 5, clock=lambda: 100.0, monotonic=lambda: now[0])

    async def read():
        return await registry.read("default")

    assert asyncio.run(read()) == catalogue("en-pt")
    now[0] = 104.0
    asyncio.run(read())
    assert server.reads == 1
    now[0] = 105.0
    asyncio.run(read())
    assert server.reads == 2


def test_a_clock_that_is_set_back_does_not_keep_an_old_answer():
    server: Any = Server()
    ModelRegistry(server, clock=lambda: 100.0).publish("default", sets("en-pt"), 30)
    asynchronous: Any = AsyncServer(server)
    wall, monotonic = [1_000_000.0], [0.0]
    registry = AsyncModelRegistry(asynchronous, 5, clock=lambda: wall[0], monotonic=lambda: monotonic[0])
    assert asyncio.run(registry.read("default")) == Catalogue()
    wall[0], monotonic[0] = 100.0, 5.0
    assert asyncio.run(registry.read("default")) == catalogue("en-pt")
