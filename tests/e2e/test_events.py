"""Whoever streams a document reads it while it is translated, goes on after a cut, and ends with the result."""

import json
import uuid
from collections.abc import Iterator
from itertools import islice

import httpx
import pytest

URL = "/api/v1/translations"


@pytest.fixture
def http(stack):
    with httpx.Client(base_url=stack.http_url, headers=stack.headers, timeout=60) as client:
        yield client


def submit(http: httpx.Client, text: str) -> str:
    body = {"text": text, "source_language": "en", "target_language": "pt", "priority": "high"}
    return str(http.post(URL, json=body).raise_for_status().json()["job_id"])


def events(http: httpx.Client, job_id: str, last_event_id: str | None = None) -> Iterator[tuple[str, dict]]:
    """Yield id and data of each event of one connection."""
    headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
    with http.stream("GET", f"{URL}/{job_id}/events", headers=headers) as answer:
        assert answer.status_code == 200
        fields: dict[str, str] = {}
        for line in answer.iter_lines():
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "data" in fields:
                yield fields["id"], json.loads(fields["data"])
                fields = {}


def test_a_document_is_read_while_it_is_translated_and_a_client_that_was_cut_off_goes_on(http):
    text = " ".join(f"The house {uuid.uuid4().hex[:6]} is number {n} in the street." for n in range(700))
    job_id = submit(http, text)
    first = list(islice(events(http, job_id), 2))
    assert [one for one, _ in first] == ["1.0", "1.1"]
    assert not http.get(f"{URL}/{job_id}").json()["is_finished"]

    rest = list(events(http, job_id, last_event_id="1.1"))
    *batches, (last_id, last) = rest
    assert last_id == "1.result"
    assert [one for one, _ in batches] == [f"1.{2 + n}" for n in range(len(batches))]
    assert last["result"]["status"] == "COMPLETED"
    read = "".join(data["text"] for _, data in [*first, *batches])
    assert last["result"]["text"].startswith(read)
    # But for the last batches, all of it came before the end.
    assert len(read) > len(last["result"]["text"]) / 2

    with http.stream("GET", f"{URL}/{job_id}/events", headers={"Last-Event-ID": "1.result"}) as answer:
        assert answer.status_code == 204
    assert [one for one, _ in events(http, job_id)] == ["1.result"]
