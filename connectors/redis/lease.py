"""One of several equal processes acts; the others wait until it ends or is silent for a while. Only advice:
what is done under a lease must bear being done by two at once, as after a loss of Redis or a long pause.
"""

from connectors.redis.client import Client, redis_errors
from connectors.redis.scripts import Call, run_all, script


class Lease:
    """In the state Redis, key `lease:<name>`. Raises TransientError."""

    def __init__(self, client: Client, name: str, holder: str, seconds: float) -> None:
        self._client = client
        self._key = f"lease:{name}"
        self._holder = holder
        self._milliseconds = round(seconds * 1000)

    def hold(self) -> bool:
        """Whether it is ours, for the next seconds; to be repeated well within them."""
        call = Call(script("hold_lease"), (self._key,), (self._holder, self._milliseconds))
        return bool(run_all(self._client, [call])[0])

    def release(self) -> None:
        """Somebody else may act at once. Nothing happens where it is not ours."""
        with redis_errors():
            if self._client.get(self._key) == self._holder.encode():
                self._client.delete(self._key)
