"""Look at every job as its caller does: is an answer that is there shown, and an erased text no longer?"""

import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor

import httpx

_THREADS = 8
_LOOK_AGAIN_SECONDS = 1.0
_GONE = 410


def untold(client: httpx.Client, answered: Collection[str], longest_seconds: float) -> list[str]:
    """Return the answered jobs (`tenant/request_id`) that HTTP does not show finished with their result.

    Looks again for `longest_seconds`: whoever takes a partition over tells what its predecessor did not.
    """
    return _left(lambda key: _is_told(client, key), answered, longest_seconds)


def still_shown(client: httpx.Client, erased: Collection[str], longest_seconds: float) -> list[str]:
    """Return the erased jobs whose text or file HTTP hands out, after so many seconds still."""
    return _left(lambda key: _is_gone(client, key), erased, longest_seconds)


def _left(is_right: Callable[[str], bool], keys: Collection[str], longest_seconds: float) -> list[str]:
    end = time.monotonic() + longest_seconds
    left = sorted(keys)
    with ThreadPoolExecutor(_THREADS) as threads:
        while left:
            looks = list(threads.map(is_right, left))
            left = [key for key, found in zip(left, looks, strict=True) if not found]
            if time.monotonic() > end:
                break
            time.sleep(_LOOK_AGAIN_SECONDS if left else 0)
    return left


def _is_told(client: httpx.Client, key: str) -> bool:
    answer = _asked(client, key)
    return bool(answer and answer.is_success and answer.json()["is_finished"] and answer.json()["result"])


def _is_gone(client: httpx.Client, key: str) -> bool:
    job, file = _asked(client, key), _asked(client, key, "/download")
    if not job or not file or not job.is_success:
        return False
    result = job.json()["result"] or {}
    return result.get("text") is None and file.status_code == _GONE


def _asked(client: httpx.Client, key: str, part: str = "") -> httpx.Response | None:
    tenant, _, request_id = key.partition("/")
    try:
        return client.get(f"/api/v1/translations/{request_id}{part}", params={"tenant": tenant})
    except httpx.TransportError:
        return None
