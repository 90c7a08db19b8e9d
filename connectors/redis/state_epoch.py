"""Tell which state Redis this is, so that decisions made on a lost one are recognised (docs/decisions/0008).

State Redis, all in one cluster slot:
`{state}:epoch`     random value and the run id of the server under which the state was last found complete
`{state}:clock`     when the state was last used (ms); what was written up to then is there, or all is lost
`{state}:rebuild:*` one key for each rebuild under way: gone with the state if that is lost again meanwhile
`{state}:reached`   partition of the results -> offset that rebuilds have reached, while none has settled the state
`{state}:told`      partition that leads to answers -> offset of the results up to which callers were told of them
`{state}:webhooks`  the epoch for which all deliveries of webhooks are noted (connectors/redis/deliveries.py)
`{state}:repaired`  the epoch whose lost requests were all sent again
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from connectors.redis.client import Call, Client, redis_errors, run_all, script
from schemas.errors import TransientError
from schemas.topics import answered_topics

_PREFIX = "{state}:"
EPOCH_KEY, _CLOCK, _REPAIRED = f"{_PREFIX}epoch", f"{_PREFIX}clock", f"{_PREFIX}repaired"
_REACHED = f"{_PREFIX}reached"
TOLD_KEY = f"{_PREFIX}told"
_REBUILD_SECONDS = 24 * 60 * 60
_RETRY_AFTER_SECONDS = 0.01


class StateLostError(TransientError):
    """The state is not the known one: what was decided on it is void."""

    def __init__(self, message: str) -> None:
        super().__init__(message, _RETRY_AFTER_SECONDS)


@dataclass(frozen=True)
class StateIdentity:
    """What the server says of its state. `clock_ms` None where it has no clock."""

    epoch: str
    run_id: str
    clock_ms: int | None

    @property
    def is_sound(self) -> bool:
        """Tell whether somebody found the state complete since this server started."""
        return self.epoch != "" and self.epoch.endswith(self.run_id)


@dataclass(frozen=True)
class Rebuild:
    """A rebuild under way: the state it found, and the key that shows whether its work is still there.

    `reached`: partition -> the offset up to which the state holds what rebuilds before this one restored.
    """

    found: StateIdentity
    key: str
    reached: Mapping[int, int]


class StateEpoch:
    """The state that one process knows. `now_ms`: milliseconds since 1970. Every method raises TransientError.

    `answered`: the topics whose records lead to answers; only who declares a state complete needs to know all.
    """

    def __init__(
        self, client: Client, now_ms: Callable[[], int], answered: Sequence[str] = tuple(answered_topics(()))
    ) -> None:
        self._client = client
        self._now_ms = now_ms
        self._answered = tuple(answered)
        self._known = ""

    @property
    def is_known(self) -> bool:
        """Tell whether decisions may be made."""
        return self._known != ""

    def call(self) -> Call:
        """Make the call that must be the last of a pipeline; `check` reads its reply."""
        return Call(script("read_state_identity"), (EPOCH_KEY, _CLOCK), (self._now_ms(),))

    def check(self, reply: Sequence[bytes]) -> None:
        """Compare the state with the known one. Raises StateLostError where they differ; then none is known."""
        identity = _identity(reply)
        if identity.is_sound and identity.epoch == self._known:
            return
        self._known = ""
        raise StateLostError("the state Redis was lost, restarted or rebuilt")

    def confirm(self) -> None:
        """Ask now, and check as `check` does."""
        self.check(run_all(self._client, [self.call()])[0])

    def look(self) -> StateIdentity:
        """Ask for the identity without comparing it."""
        return _identity(run_all(self._client, [self.call()])[0])

    def adopt(self, identity: StateIdentity) -> None:
        """Make this sound state the known one."""
        self._known = identity.epoch

    def begin(self, found: StateIdentity) -> Rebuild:
        """Begin a rebuild; to be called before the end of the log that is read is measured."""
        key = f"{_PREFIX}rebuild:{uuid.uuid4().hex}"
        with redis_errors(), self._client.pipeline(transaction=False) as pipeline:
            pipeline.set(key, 1, ex=_REBUILD_SECONDS)
            pipeline.hgetall(_REACHED)
            reached = pipeline.execute()[-1]
        return Rebuild(found, key, {int(partition): int(offset) for partition, offset in reached.items()})

    def reach(self, rebuild: Rebuild, reached: Mapping[int, int]) -> None:
        """Note that everything before these offsets is restored: the next rebuild begins there."""
        arguments: list[str | int] = [rebuild.found.run_id, _REBUILD_SECONDS]
        arguments += chain.from_iterable(reached.items())
        run_all(self._client, [Call(script("reach_state"), (rebuild.key, _REACHED), arguments)])

    def settle(self, rebuild: Rebuild) -> bool:
        """Declare the state complete. False: it was lost again, or somebody else was first; look again."""
        epoch = f"{uuid.uuid4().hex}:{rebuild.found.run_id}"
        keys = (EPOCH_KEY, rebuild.key, _REACHED, TOLD_KEY)
        call = Call(script("settle_state"), keys, (rebuild.found.epoch, epoch, *self._answered))
        return bool(run_all(self._client, [call])[0])

    def repaired(self) -> str:
        """Return the epoch whose lost requests were all sent again; empty for none."""
        with redis_errors():
            value = self._client.get(_REPAIRED)
        return value.decode() if isinstance(value, bytes) else ""

    def set_repaired(self, epoch: str) -> None:
        """Note that all requests that were lost before this epoch have been sent again."""
        with redis_errors():
            self._client.set(_REPAIRED, epoch)


def is_about_state(key: bytes) -> bool:
    """Tell whether a key describes the state as a whole."""
    return key.startswith(_PREFIX.encode())


def forget_epoch(client: Client) -> None:
    """Have the state rebuilt, whatever it holds. Raises TransientError."""
    with redis_errors():
        client.delete(EPOCH_KEY, _REACHED)


def _identity(reply: Sequence[bytes]) -> StateIdentity:
    epoch, run_id, clock = (part.decode() for part in reply)
    return StateIdentity(epoch, run_id, int(clock) if clock else None)
