"""Copy the keys of a Redis over the network, out of one and into another, where its files are out of reach.

Each key is as it was when it was read, not all at one moment; `deploy/backup` says why that is enough.
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
    """One key. `ttl_ms` is the life it had left when it was read, 0 for a key that never expires."""

    key: bytes
    value: bytes
    ttl_ms: int


@dataclass
class Restored:
    """How many keys were written, and how many existed and were kept."""

    written: int = 0
    kept: int = 0


def count_keys(client: Client) -> int:
    """Count the keys."""
    with redis_errors():
        return int(client.dbsize())


def dump(client: Client) -> Iterator[Entry]:
    """Yield every key that exists throughout the dump, a few perhaps twice. Raises TransientError.

    Without the epoch: it stands for the whole state at one moment, which a dump is not.
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
    """Write the keys with the life they had left, and yield the counts of each portion. May be repeated.

    Without `replace` an existing key is kept: it is newer. Afterwards the assemblers restore what the dump lacks,
    before they decide anything. Raises TransientError, PermanentError.
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
