"""A small stack with tracing: one trace from HTTP or a foreign producer to the webhook, and no text in it."""

import json
import time
import uuid
from dataclasses import replace

import httpx
import pytest
from typer.testing import CliRunner

from connectors.kafka.producer import DurableProducer
from connectors.kafka.settings import KafkaSettings
from deploy.local.main import down, read_run, up
from deploy.local.settings import StackSettings
from producers.cli.main import app
from schemas.codec import Codec
from schemas.messages import TranslationRequest
from schemas.priorities import Priority
from schemas.records import TRACE_HEADER, OutboundRecord
from schemas.topics import requests_topic
from schemas.traces import TraceParent, parse_traceparent
from tests.collector import collecting
from tests.servers import LIBRARIES
from tests.stack import Stack
from tests.webhooks import receiving

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(600)]

URL = "/api/v1/translations"
# Words that nothing but the texts has; the translations of the last two have them, too.
SECRET_WORDS = ("marmalade", "lighthouse", "Quillfeather", "Brambleworth")
TEXT = "The lighthouse keeper Quillfeather eats marmalade with Brambleworth."
STAGES = ["http", "submit", "intake", "worker", "engine part", "assembly", "webhooks"]


@pytest.fixture(scope="module")
def collector():
    with collecting() as found:
        yield found


@pytest.fixture(scope="module")
def receiver():
    with receiving() as found:
        yield found


@pytest.fixture(scope="module")
def traced(tmp_path_factory, collector):
    """A stack whose every request is recorded and whose logs say everything."""
    root = tmp_path_factory.mktemp("traced")
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {
            "DRAGOMAN_TRACING_ENDPOINT": collector.url,
            "DRAGOMAN_TRACING_SAMPLE_RATIO": "1",
            "DRAGOMAN_TRACING_SEND_SECONDS": "0.2",
            "DRAGOMAN_LOG_LEVEL": "DEBUG",
            # So that a slow machine, too, gives the engine several sentences at once.
            "DRAGOMAN_WORKER_PART_SECONDS": "5",
            "DRAGOMAN_REQUESTS_CALLBACK_SCHEMES": '["http", "https"]',
            "DRAGOMAN_REQUESTS_CALLBACK_PRIVATE_HOSTS": "true",
        }.items():
            environment.setenv(name, value)
        settings = StackSettings(root=root, workers=1, webhooks=True, kafka_libraries=LIBRARIES)
        up(settings, detach=True, on_progress=lambda *_: None)
    try:
        yield Stack(root)
    finally:
        down(root)


@pytest.fixture
def api(traced):
    with httpx.Client(base_url=traced.http_url, headers=traced.headers, timeout=60) as client:
        yield client


@pytest.fixture
def send(traced):
    """`send(request, traceparent)`: as a producer that is not ours."""
    producer = DurableProducer(KafkaSettings(bootstrap=traced.kafka_bootstrap))

    def sent(*requests, traceparent=b""):
        headers = {TRACE_HEADER: traceparent} if traceparent else {}
        topic, codec = requests_topic(Priority.HIGH), Codec()
        producer.send([OutboundRecord(topic, one.key.encode(), codec.encode(one), headers) for one in requests])

    yield sent
    producer.close()


def foreign(flags=1):
    return TraceParent(uuid.uuid4().hex, uuid.uuid4().hex[:16], flags)


def until(check, what, seconds=60):
    end = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < end, what
        time.sleep(0.05)
    return found


def whole(collector, trace_id, names):
    """Wait for these spans of a trace; return them by name."""

    def found():
        spans = {span.name: span for span in collector.of(trace_id)}
        return spans if {*names} <= spans.keys() else None

    return until(found, f"{names} of {trace_id}: {[one.name for one in collector.of(trace_id)]}")


def asked(api, text=TEXT, **rest):
    body = {"text": text, "source_language": "en", "target_language": "pt", "priority": "high"}
    return api.post(URL, json={**body, **rest}, params={"wait": 30})


def request(text=TEXT):
    return TranslationRequest(
        request_id=str(uuid.uuid4()), tenant="default", source_language="en", target_language="pt", text=text
    )


def test_one_trace_leads_from_the_caller_to_the_webhook(api, collector, receiver):
    caller = foreign()
    api.headers["traceparent"] = caller.encode().decode()
    answer = asked(api, callback=receiver.url)
    assert answer.status_code == 200, answer.text
    spans = whole(collector, caller.trace_id, STAGES)
    parents = {name: span.parent for name, span in spans.items()}
    assert parents == {
        "http": caller.span_id,
        "submit": spans["http"].span_id,
        "intake": spans["submit"].span_id,
        "worker": spans["intake"].span_id,
        "engine part": spans["worker"].span_id,
        "assembly": spans["worker"].span_id,
        "webhooks": spans["assembly"].span_id,
    }
    assert {span.service for span in spans.values()} == {
        f"dragoman-{name}" for name in ("http", "intake", "worker", "assembly", "webhooks")
    }
    told = parse_traceparent(receiver.received[-1][0]["traceparent"].encode())
    assert told == TraceParent(caller.trace_id, spans["webhooks"].span_id, told.flags if told else 0)


def test_spans_say_whose_request_it_is_and_what_it_took(api, collector):
    job = asked(api, "A second marmalade sentence, for the lighthouse.").json()
    span = until(
        lambda: next((one for one in collector.spans if about(one, "worker", job["job_id"])), None), "the worker"
    )
    facts = span.facts
    assert facts["dragoman.tenant"] == "default"
    assert (facts["dragoman.source_language"], facts["dragoman.target_language"]) == ("en", "pt")
    assert (facts["dragoman.priority"], facts["dragoman.segments"]) == ("high", 1)
    assert facts["dragoman.words"] == 7
    assert facts["dragoman.engine_seconds"] > 0


def test_a_foreign_producers_trace_goes_on_and_an_unrecorded_one_stays_so(send, api, collector):
    recorded, unrecorded = foreign(), foreign(flags=0)
    send(request("The lighthouse has its own marmalade."), traceparent=recorded.encode())
    silent = request("The other lighthouse has none.")
    send(silent, traceparent=unrecorded.encode())
    spans = whole(collector, recorded.trace_id, ["intake", "worker", "assembly"])
    assert spans["intake"].parent == recorded.span_id
    until(lambda: api.get(f"{URL}/{silent.request_id}").json().get("status") == "COMPLETED", "an answer")
    time.sleep(1.0)  # nothing more may come
    assert collector.of(unrecorded.trace_id) == []


def test_a_batch_of_several_requests_is_linked_to_each(send, collector):
    texts = [f"Brambleworth bought {number} jars of marmalade." for number in range(2, 40)]
    send(*map(request, texts))
    linked = until(lambda: next((one for one in collector.spans if len(one.links) > 1), None), "links")
    assert (linked.name, linked.parent) == ("engine part", "")
    workers = {one.span_id for one in collector.spans if one.name == "worker"}
    until(lambda: {*linked.links} <= {one.span_id for one in collector.spans if one.name == "worker"}, workers)


def test_a_long_text_is_one_trace_of_many_batches(send, collector):
    above = foreign()
    text = " ".join(f"Keeper {number} of the lighthouse is away." for number in range(80))
    send(request(text), traceparent=above.encode())
    spans = whole(collector, above.trace_id, ["intake", "worker", "assembly"])
    assert spans["intake"].facts["dragoman.batches"] == 3

    def named(name):
        return [one for one in collector.of(above.trace_id) if one.name == name]

    until(lambda: len(named("worker")) == 3, "three batches")
    assert {one.parent for one in named("worker")} == {spans["intake"].span_id}
    (answer,) = named("assembly")
    assert answer.parent in {one.span_id for one in named("worker")}


def test_a_document_is_one_trace_through_its_own_processes(api, collector):
    caller = foreign()
    api.headers["traceparent"] = caller.encode().decode()
    fields = {"source_language": "en", "target_language": "pt", "priority": "high"}
    file = ("house.txt", b"The lighthouse is full of marmalade.")
    assert api.post("/api/v1/documents", files={"file": file}, data=fields).status_code == 202
    spans = whole(collector, caller.trace_id, ["http", "submit", "intake", "extraction", "worker", "merging"])
    assert spans["extraction"].parent == spans["intake"].span_id
    assert spans["worker"].parent == spans["extraction"].span_id
    assert spans["merging"].parent == spans["worker"].span_id


def test_histograms_show_the_trace_to_who_asks_for_openmetrics(traced, api, collector):
    caller = foreign()
    api.headers["traceparent"] = caller.encode().decode()
    asked(api, "One more lighthouse, one more jar.")
    whole(collector, caller.trace_id, ["assembly"])
    url = f"{read_run(traced.root).health_urls['assembly-1']}/metrics"
    openmetrics = httpx.get(url, headers={"Accept": "application/openmetrics-text; version=1.0.0"}).text
    (line,) = [one for one in openmetrics.splitlines() if caller.trace_id in one]
    assert line.startswith('dragoman_result_seconds_bucket{le="')
    assert "trace_id" not in httpx.get(url).text


def test_the_lines_of_a_request_name_it_and_its_trace(traced, api, collector):
    caller = foreign()
    api.headers["traceparent"] = caller.encode().decode()
    job = asked(api, "The last lighthouse of the marmalade coast.").json()
    whole(collector, caller.trace_id, ["assembly"])
    lines = [one for one in log_lines(traced) if one.get("request_id") == job["job_id"]]
    events = {one["event"] for one in lines if one.get("trace_id") == caller.trace_id}
    assert {"request_stored", "request_cut", "batch_translated", "request_answered"} <= events
    assert {one["tenant"] for one in lines} == {"default"}


def test_the_command_finds_them(traced, api):
    job = asked(api, "Nobody lights the lighthouse on Sundays.").json()
    command = ["logs", "--root", str(traced.root), "--request", job["job_id"], "--level", "debug"]
    until(lambda: "request_answered" in CliRunner().invoke(app, command).stdout, "the line of the answer")
    found = [json.loads(line) for line in CliRunner().invoke(app, command).stdout.splitlines()]
    assert {one["event"]: one["process"] for one in found} == {
        "request_stored": "http",
        "request_cut": "intake-1",
        "batch_translated": "worker-1",
        "request_answered": "assembly-1",
    }
    # HTTP may hear of the acknowledgement after intake has read the request.
    events = [one["event"] for one in found if one["process"] != "http"]
    assert events == ["request_cut", "batch_translated", "request_answered"]


def test_no_log_and_no_span_has_a_text(traced, api, send, collector):
    assert asked(api, "x" * 300, target_language="marmalade marmalade").status_code == 422
    kind = {"content-type": "application/json"}
    assert api.post(URL, content=b'{"text": "marmalade", ', headers=kind).status_code == 400
    refused = replace(request(), target_language="marmalade marmalade")
    send(refused)
    until(lambda: api.get(f"{URL}/{refused.request_id}").json().get("status") == "FAILED", "a refusal")
    time.sleep(1.0)  # for spans and lines under way
    written = [(path.name, path.read_text(errors="replace")) for path in sorted((traced.root / "logs").iterdir())]
    written += [(span.name, span.raw) for span in collector.spans]
    assert len(written) > 50
    found = {(name, word) for name, text in written for word in SECRET_WORDS if word.lower() in text.lower()}
    assert not found


def about(span, name, request_id):
    return span.name == name and span.facts.get("dragoman.request_id") == request_id


def log_lines(stack):
    for path in sorted((stack.root / "logs").glob("*.log")):
        for line in path.read_text(errors="replace").splitlines():
            if line.startswith("{"):
                yield json.loads(line)
