"""Every key of a Redis over the network: out of one, into another. Works where nobody can reach its files.

Not one moment of the whole, but each key as it was when it was read; `deploy/backup` says why that is enough.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from redis.exceptions import ResponseError

from connectors.redis.client import Client, redis_errors
from connectors.redis.state_epoch import forget_epoch, is_about_state
from schemas.errors import PermanentError

# A key may hold all batches of a document: few at once keep the memory bounded.
_KEYS = 64
_NO_KEY = -2

T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """One key. `ttl_ms` is the life it had left when it was read, 0 for one that lives for ever."""

    key: bytes
    value: bytes
    ttl_ms: int


@dataclass
class Restored:
    """How many keys were written, and how many were there already and stayed."""

    written: int = 0
    kept: int = 0


def count_keys(client: Client) -> int:
    """How many there are now."""
    with redis_errors():
        return int(client.dbsize())


def dump(client: Client) -> Iterator[Entry]:
    """Every key that is there from the beginning to the end, a few perhaps twice. Raises TransientError.

    Without the epoch: it vouches for one moment of the whole, which a dump is not.
    """
    for keys in _portions(key for key in client.scan_iter(count=_KEYS) if not is_about_state(key)):
        with redis_errors(), client.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.dump(key)
                pipeline.pttl(key)
            replies = pipeline.execute()
        for key, value, ttl_ms in zip(keys, replies[::2], replies[1::2], strict=True):
            # Gone before the first question, or between the two.
            if value is not None and ttl_ms not in (0, _NO_KEY):
                yield Entry(key, value, max(ttl_ms, 0))


def restore(client: Client, entries: Iterable[Entry], replace: bool) -> Iterator[Restored]:
    """Writes the keys with the life they had left; what was done of each portion. May be repeated.

    Without `replace` a key that is there stays: it is newer. Afterwards the assemblers bring back what the dump
    lacks, before they decide anything. Raises TransientError, PermanentError.
    """
    for portion in _portions(entries):
        with redis_errors(), client.pipeline(transaction=False) as pipeline:
            for entry in portion:
                pipeline.restore(entry.key, entry.ttl_ms, entry.value, replace=replace)
            replies = pipeline.execute(raise_on_error=False)
        yield _counted(replies)
    forget_epoch(client)


def _portions(entries: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(entries)
    return iter(lambda: list(islice(rest, _KEYS)), [])


def _counted(replies: list[object]) -> Restored:
    done = Restored()
    for reply in replies:
        if isinstance(reply, ResponseError) and "BUSYKEY" in str(reply):
            done.kept += 1
        elif isinstance(reply, Exception):
            raise PermanentError(
                "key_refused",
                f"Redis refuses a key: {reply}",
                cure="restore into the same or a newer version of Redis, with enough memory",
            )
        else:
            done.written += 1
    return done
