"""Which state Redis this is, so that decisions made on a lost one can be recognised (docs/decisions/0008).

State Redis, all in one cluster slot:
`{state}:epoch`     random value and the run id of the server under which the state was last found complete
`{state}:clock`     when the state was last used (ms); what was written up to then is there, or all is lost
`{state}:rebuild:*` one key for each rebuild under way: gone with the state if that is lost again meanwhile
`{state}:reached`   partition of the results -> offset up to which a rebuild has come that nobody has ended yet
`{state}:repaired`  the epoch whose lost requests were all sent again
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from connectors.redis.client import Call, Client, redis_errors, run_all, script
from schemas.errors import TransientError

_PREFIX = "{state}:"
_EPOCH, _CLOCK, _REPAIRED = f"{_PREFIX}epoch", f"{_PREFIX}clock", f"{_PREFIX}repaired"
_REACHED = f"{_PREFIX}reached"
_REBUILD_SECONDS = 24 * 60 * 60
_AT_ONCE_SECONDS = 0.01


class StateLostError(TransientError):
    """The state is not the one that was known: what was decided on it is void."""

    def __init__(self, message: str) -> None:
        super().__init__(message, _AT_ONCE_SECONDS)


@dataclass(frozen=True)
class StateIdentity:
    """What the server says of itself. `clock_ms` None where it has none."""

    epoch: str
    run_id: str
    clock_ms: int | None

    @property
    def is_sound(self) -> bool:
        """Whether somebody found the state complete since this server started."""
        return self.epoch != "" and self.epoch.endswith(self.run_id)


@dataclass(frozen=True)
class Rebuild:
    """A rebuild under way: what it found, and the key that tells whether its work is still there.

    `reached`: partition -> the offset up to which the state holds what rebuilds before this one restored.
    """

    found: StateIdentity
    key: str
    reached: Mapping[int, int]


class StateEpoch:
    """One process's view of it. `now_ms`: milliseconds since the epoch. Every call raises TransientError."""

    def __init__(self, client: Client, now_ms: Callable[[], int]) -> None:
        self._client = client
        self._now_ms = now_ms
        self._known = ""

    @property
    def is_known(self) -> bool:
        """Whether decisions may be made."""
        return self._known != ""

    def call(self) -> Call:
        """To be the last of a pipeline; `check` reads the reply."""
        return Call(script("witness_state"), (_EPOCH, _CLOCK), (self._now_ms(),))

    def check(self, reply: Sequence[bytes]) -> None:
        """Raises StateLostError unless the state is the known one; then it is known no more."""
        identity = _identity(reply)
        if identity.is_sound and identity.epoch == self._known:
            return
        self._known = ""
        raise StateLostError("the state Redis was lost, restarted or rebuilt")

    def confirm(self) -> None:
        """As `check`, asking now."""
        self.check(run_all(self._client, [self.call()])[0])

    def look(self) -> StateIdentity:
        """Asks without judging."""
        return _identity(run_all(self._client, [self.call()])[0])

    def adopt(self, identity: StateIdentity) -> None:
        """This sound state is the known one from now on."""
        self._known = identity.epoch

    def begin(self, found: StateIdentity) -> Rebuild:
        """To be called before the log that is rebuilt from is measured."""
        key = f"{_PREFIX}rebuild:{uuid.uuid4().hex}"
        with redis_errors(), self._client.pipeline(transaction=False) as pipeline:
            pipeline.set(key, 1, ex=_REBUILD_SECONDS)
            pipeline.hgetall(_REACHED)
            reached = pipeline.execute()[-1]
        return Rebuild(found, key, {int(partition): int(offset) for partition, offset in reached.items()})

    def reach(self, rebuild: Rebuild, reached: Mapping[int, int]) -> None:
        """To be called after everything before these offsets was restored: whoever begins next, begins there."""
        arguments: list[str | int] = [rebuild.found.run_id, _REBUILD_SECONDS]
        arguments += chain.from_iterable(reached.items())
        run_all(self._client, [Call(script("reach_state"), (rebuild.key, _REACHED), arguments)])

    def settle(self, rebuild: Rebuild) -> bool:
        """The state is complete. False: it was lost again, or somebody else was first; look again."""
        epoch = f"{uuid.uuid4().hex}:{rebuild.found.run_id}"
        call = Call(script("settle_state"), (_EPOCH, rebuild.key, _REACHED), (rebuild.found.epoch, epoch))
        return bool(run_all(self._client, [call])[0])

    def repaired(self) -> str:
        """The epoch whose lost requests were all sent again; empty for none."""
        with redis_errors():
            value = self._client.get(_REPAIRED)
        return value.decode() if isinstance(value, bytes) else ""

    def set_repaired(self, epoch: str) -> None:
        """Nothing that was lost before this epoch is without an answer any more."""
        with redis_errors():
            self._client.set(_REPAIRED, epoch)


def is_about_state(key: bytes) -> bool:
    """Whether a key speaks of the state as a whole."""
    return key.startswith(_PREFIX.encode())


def forget_epoch(client: Client) -> None:
    """Whatever the state holds, it is to be rebuilt. Raises TransientError."""
    with redis_errors():
        client.delete(_EPOCH, _REACHED)


def _identity(reply: Sequence[bytes]) -> StateIdentity:
    epoch, run_id, clock = (part.decode() for part in reply)
    return StateIdentity(epoch, run_id, int(clock) if clock else None)
