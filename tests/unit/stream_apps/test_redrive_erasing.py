"""All requests of a tenant are ordered to be erased: answered ones and open ones, but none twice."""

from schemas.codec import Codec
from schemas.events import JobControl
from schemas.messages import TranslationRequest
from schemas.records import InboundRecord, erased_header
from schemas.topics import RESULTS
from stream_apps.redrive.erasing import TenantEraser
from tests.keys import key

CODEC = Codec()
REQUESTS = "translation.requests.high"


class Kafka:
    def __init__(self):
        self.topics: dict[str, list[InboundRecord]] = {}
        self.sent = []

    def add(self, topic, job, value=b"", **headers):
        records = self.topics.setdefault(topic, [])
        records.append(InboundRecord(topic, 0, len(records), job.encode(), value, headers))

    def ask(self, job):
        request = TranslationRequest(**job._asdict(), target_language="pt", text="a")
        self.add(REQUESTS, job, CODEC.encode(request))

    def read(self, topic):
        return self.topics.get(topic, [])

    def send(self, records, timeout_seconds=30.0):
        self.sent += records


def test_answered_and_open_requests_of_one_tenant_are_ordered_to_be_erased():
    kafka = Kafka()
    mine, answered, erased = key("open", "acme"), key("answered", "acme"), key("erased", "acme")
    for one in (mine, erased, key("open", "acme-2")):
        kafka.ask(one)
    kafka.add(REQUESTS, key("x", "acme"), b"rubbish")
    for one in (answered, erased, key("answered", "globex")):
        kafka.add(RESULTS, one)
    kafka.add(RESULTS, erased, **erased_header(5))
    eraser = TenantEraser(kafka.read, kafka, CODEC, lambda: 7)
    (portion,) = eraser.find("acme")
    found = list(portion.keys)
    assert (found, portion.is_last) == ([mine, answered], True)
    assert list(eraser.order(found, "operator")) == found
    orders = [CODEC.decode(one.value, JobControl) for one in kafka.sent]
    assert [(one.key, one.action, one.requested_by, one.at) for one in orders] == [
        (mine, "ERASE", "operator", 7),
        (answered, "ERASE", "operator", 7),
    ]
    assert [one.key for one in kafka.sent] == [mine.encode(), answered.encode()]


def test_a_thousand_orders_are_sent_in_portions_and_told_as_they_are_stored():
    kafka = Kafka()
    eraser = TenantEraser(kafka.read, kafka, CODEC, lambda: 7)
    told = eraser.order([key(str(number)) for number in range(1100)], "operator")
    next(told)
    assert len(kafka.sent) == 500
    assert len(list(told)) == 1099


def test_of_a_tenant_with_more_requests_than_are_remembered_each_is_found_once():
    kafka = Kafka()
    jobs = [key(f"job-{number}", "acme") for number in range(100)]
    for one in jobs:
        kafka.ask(one)
        kafka.ask(one)
    for one in jobs[:30]:
        kafka.add(RESULTS, one, **erased_header(5))
    portions = list(TenantEraser(kafka.read, kafka, CODEC, lambda: 7, most_keys=20).find("acme"))
    assert len(portions) > 4
    assert max(len(one.keys) for one in portions) <= 20
    assert sorted(found for one in portions for found in one.keys) == sorted(jobs[30:])
    assert [one.is_last for one in portions] == [False] * (len(portions) - 1) + [True]
