"""On real Kafka: a document beside short requests of the same priority, with bulk lanes and without."""

import time
import uuid
from statistics import quantiles

import pytest

from schemas.messages import TranslationRequest
from tests.fleet import until

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(480)]

_DOCUMENT_WORDS, _SHORT = 6000, 20
_WORDS = "The cold rain fell on the old garden behind the house of"


def request(text: str) -> TranslationRequest:
    name = f"lanes-{uuid.uuid4().hex}"
    return TranslationRequest(request_id=name, source_language="en", target_language="pt", text=text)


def document() -> TranslationRequest:
    """Every sentence is new to the memory."""
    sentences = (f"{_WORDS} {uuid.uuid4().hex[:6]}." for _ in range(_DOCUMENT_WORDS // 13))
    return request(" ".join(sentences))


def waits_of_short_requests(fleet) -> list[float]:
    """Send one every 50 ms; return the seconds from Kafka's acceptance to each translation."""
    asked = [request(f"{_WORDS} {uuid.uuid4().hex[:6]}.") for _ in range(_SHORT)]
    for one in asked:
        fleet.send([one])
        time.sleep(0.05)
    ids = {one.request_id for one in asked}
    fleet.answers["worker"].wait_for(sorted(ids))
    answers = [one for one in fleet.answers["worker"].read if one.request_id in ids]
    return [(one.translated_at - one.job.accepted_at) / 1000 for one in answers]


def p95(seconds: list[float]) -> float:
    return quantiles(seconds, n=20, method="inclusive")[18]


def waits_beside_a_document(fleet, bulk_words: int) -> tuple[float, float]:
    """Return the 95th percentile of the waits alone, and of those behind a document that is being translated."""
    name = f"intake-{bulk_words}"
    fleet.start("stream_apps.intake.main", name, DRAGOMAN_REQUESTS_BULK_WORDS=str(bulk_words))
    fleet.wait_until_ready(name)
    waits_of_short_requests(fleet)
    alone = p95(waits_of_short_requests(fleet))
    fleet.send([long := document()])
    answers = fleet.answers["worker"]
    until(lambda: answers.counts(0.2)[long.request_id] >= 2, "the first translations of the document")
    beside = p95(waits_of_short_requests(fleet))
    done = answers.counts()[long.request_id]
    batches = next(one.job.batches for one in answers.read if one.request_id == long.request_id)
    until(lambda: answers.counts(0.2)[long.request_id] >= batches, "the whole document")
    assert fleet.stop(name) == 0
    print(
        f"bulk_words {bulk_words}: p95 {alone:.2f} s alone, {beside:.2f} s beside; {done} of {batches} were done"
    )
    return alone, beside


def test_short_requests_pass_a_document_of_their_priority(fleet):
    fleet.start("inference_workers.main", "worker")
    fleet.wait_until_ready("worker")
    _, without_lanes = waits_beside_a_document(fleet, 0)
    alone, beside = waits_beside_a_document(fleet, 2000)
    # A short one waits for the part under way and for those that are guaranteed to the document.
    assert beside < max(6 * alone, 1.5)
    assert beside < without_lanes / 3
