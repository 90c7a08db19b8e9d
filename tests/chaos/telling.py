"""Look at every job as its caller does, and name those whose answer is there and is not shown."""

import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor

import httpx

_THREADS = 8
_LOOK_AGAIN_SECONDS = 1.0


def untold(client: httpx.Client, answered: Collection[str], longest_seconds: float) -> list[str]:
    """Return the answered jobs (`tenant/request_id`) that HTTP does not show finished with their result.

    Looks again for `longest_seconds`: whoever takes a partition over tells what its predecessor did not.
    """
    end = time.monotonic() + longest_seconds
    left = sorted(answered)
    with ThreadPoolExecutor(_THREADS) as threads:
        while left:
            shown = list(threads.map(lambda key: _is_shown(client, key), left))
            left = [key for key, is_shown in zip(left, shown, strict=True) if not is_shown]
            if time.monotonic() > end:
                break
            time.sleep(_LOOK_AGAIN_SECONDS if left else 0)
    return left


def _is_shown(client: httpx.Client, key: str) -> bool:
    tenant, _, request_id = key.partition("/")
    try:
        answer = client.get(f"/api/v1/translations/{request_id}", params={"tenant": tenant})
    except httpx.TransportError:
        return False
    return answer.is_success and answer.json()["is_finished"] and answer.json()["result"] is not None
