"""One tenant floods the platform: what its limit in flight leaves to another one, and what it would be without it.

`make test-slow ARGS="tests/e2e/test_two_tenants.py -s"` prints the figures.
"""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest

from connectors.kafka.settings import KafkaSettings
from schemas.accounts import Tenant
from schemas.codec import Codec
from stream_apps.accounts.api_keys import new_key as make_key
from stream_apps.accounts.changes import Change, Rights, new_key, new_tenant
from stream_apps.accounts.store import KafkaAccounts
from stream_apps.runtime.process import now_ms
from tests.accounts import bearer

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(300)]

URL = "/api/v1/translations"
FLOODING_THREADS, SENTENCES = 12, 16
CALLS, LONGEST_SECONDS = 12, 15.0
IN_FLIGHT = 4


class Flood:
    """A tenant that posts long texts as fast as it can."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self.answers: Counter[int] = Counter()
        self._client = httpx.Client(base_url=url, headers=headers, timeout=30)
        self._jobs: list[str] = []
        self._ending = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        with ThreadPoolExecutor(FLOODING_THREADS) as threads:
            for _ in range(FLOODING_THREADS):
                threads.submit(self._post)
            time.sleep(2)
            try:
                yield
            finally:
                self._ending.set()
        for job in self._jobs:
            self._client.delete(f"{URL}/{job}")
        self._client.close()

    def _post(self) -> None:
        while not self._ending.is_set():
            answer = self._client.post(URL, json=body(SENTENCES))
            self.answers[answer.status_code] += 1
            if answer.status_code == 202:
                self._jobs.append(answer.json()["job_id"])
            else:
                assert answer.headers["retry-after"]
                self._ending.wait(0.05)


def body(sentences: int) -> dict[str, str]:
    """Nothing in it is remembered."""
    text = " ".join(f"The house {uuid.uuid4().hex[:6]} is number {n} in the street." for n in range(sentences))
    return {"text": text, "source_language": "en", "target_language": "pt", "priority": "standard"}


def waits(client: httpx.Client) -> list[float]:
    """Return the seconds of calls one after the other; LONGEST_SECONDS where no answer came in that time."""
    taken = []
    for _ in range(CALLS):
        began = time.monotonic()
        answer = client.post(URL, params={"wait": LONGEST_SECONDS}, json=body(1))
        assert answer.status_code in (200, 202)
        taken.append(time.monotonic() - began if answer.status_code == 200 else LONGEST_SECONDS)
        if taken[-1] >= LONGEST_SECONDS:
            break
    return sorted(taken)


def tenant_of(stack, **limits: int) -> dict[str, str]:
    """Make a tenant and a key of it; return the header."""
    settings = KafkaSettings(bootstrap=stack.kafka_bootstrap)
    tenant, key, change = f"t-{uuid.uuid4().hex[:8]}", make_key(), Change("tests", now_ms())
    wish = Tenant(tenant=tenant, tier="unlimited", limits=limits)
    store = KafkaAccounts(settings, Codec())
    store.change(lambda found: [new_tenant(found, wish, change)])
    store.change(lambda found: [new_key(found, tenant, key, Rights(), change)])
    return bearer(key.text)


def test_a_flood_leaves_the_others_their_share(stack):
    bounded, boundless = tenant_of(stack, requests_in_flight=IN_FLIGHT), tenant_of(stack)
    with httpx.Client(base_url=stack.http_url, headers=tenant_of(stack), timeout=60) as quiet:
        waits(quiet)  # warms everything
        alone = waits(quiet)
        flood = Flood(stack.http_url, bounded)
        with flood.running():
            beside = waits(quiet)
        drained = waits(quiet)
        unbounded = Flood(stack.http_url, boundless)
        with unbounded.running():
            without = waits(quiet)
    for name, taken in (
        ("alone", alone),
        ("beside a flood", beside),
        ("after", drained),
        ("without limits", without),
    ):
        print(f"{name}: median {taken[len(taken) // 2]:.2f} s, longest {taken[-1]:.2f} s of {len(taken)} calls")
    print(f"the flood was told {dict(flood.answers)}, without limits {dict(unbounded.answers)}")
    assert set(flood.answers) == {202, 429}
    assert len(beside) == CALLS
    # The longest wait without the limits is cut off; the limit makes at least this difference.
    assert beside[-1] < without[-1] / 2
