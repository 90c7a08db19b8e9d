"""What the doctor looks at, as plain values, so that each check can be tried without a server."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Misread:
    """A setting that a process refuses. `variable` is empty where the fault lies between several."""

    variable: str
    message: str


@dataclass(frozen=True)
class Configuration:
    """What the environment says: refused settings, names that nothing reads, and values that must go together."""

    misread: tuple[Misread, ...] = ()
    unread: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    pool: str = "default"
    pools: tuple[str, ...] = ("default",)
    price_key: str = "cpu/on_demand"
    prices: Mapping[str, float] | None = None


@dataclass(frozen=True)
class ServerVersion:
    """The version of a server or a package, what is needed at least, and how to get it."""

    name: str
    found: str
    wanted: str
    is_enough: bool
    cure: str


@dataclass(frozen=True)
class Clock:
    """How much a server's clock is ahead of ours, in seconds; true to half of the round trip."""

    name: str
    ahead_seconds: float
    round_trip_seconds: float


@dataclass(frozen=True)
class TopicPermissions:
    """What this user may do with a topic, by Kafka's names of operations; None where the broker does not tell."""

    topic: str
    operations: frozenset[str] | None


@dataclass(frozen=True)
class SecretFile:
    """A file for its owner only. `mode`: its permission bits."""

    path: Path
    mode: int


@dataclass(frozen=True)
class RedisServer:
    """What a Redis says of itself. `policy` is empty where it does not tell; bytes, 0: no limit."""

    version: str
    policy: str
    used_bytes: int = 0
    max_bytes: int = 0
    evicted_keys: int = 0
    is_cluster: bool = False
    is_on_disk: bool = True
    last_write_failed: bool = False


@dataclass(frozen=True)
class Folder:
    """A folder that processes write. `free_megabytes` of 10^6 bytes."""

    path: Path
    free_megabytes: int
    is_writable: bool


@dataclass(frozen=True)
class ModelFolder:
    """A translation model on this machine. `fault`: why its files are not as they should be; else empty."""

    path: Path
    engine: str
    engine_is_installed: bool
    fault: str = ""
