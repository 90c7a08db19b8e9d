"""GET /api/v1/translations/{job_id}/events: batches as they come, at last the result; what cuts it off."""

import asyncio
import json

import pytest

from producers.http.errors import OverloadedError
from producers.http.ports import Ports
from producers.http.settings import HttpLimits
from producers.http.translations.events import OpenStreams, batch_after, job_events
from schemas.errors import PermanentError
from schemas.messages import Job, TranslatedBatch, TranslationResult
from schemas.states import JobStage, ResultStatus
from tests.keys import key
from tests.unit.producers.problem import problem_of
from tests.unit.producers.test_http_jobs import JOB, result, view

URL = "/api/v1/translations/job/events"


def batch(
    number: int, *texts: str, lead: str = "", causes: tuple[str | None, ...] | None = None
) -> TranslatedBatch:
    return TranslatedBatch(
        request_id="job",
        job=Job(batches=3),
        batch_number=number,
        lead=lead,
        translations=texts,
        gaps=(" ",) * len(texts),
        causes=causes or (None,) * len(texts),
    )


def events_of(stream: str) -> list[tuple[str, str, dict]]:
    """Return event, id and data of each, as the specification has a client read them."""
    found = []
    for block in stream.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
        if "data" in fields:
            found.append((fields["event"], fields["id"], json.loads(fields["data"])))
    return found


def test_batches_come_in_the_order_of_the_text_and_at_last_the_result(http, world):
    world.views[JOB] = view(batches=3)
    world.slots[JOB] = [batch(0, "Bom", lead="> "), batch(1, "dia.", "Olá.", causes=(None, "engine_failed"))]
    world.finishes_at_look[4] = result()
    answer = http.get(URL)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert (answer.headers["cache-control"], answer.headers["x-accel-buffering"]) == ("no-cache", "no")
    first, second, last = events_of(answer.text)
    assert first[:2] == ("batch", "1.0")
    assert first[2] == {
        "batch": 0, "batches": 3, "progress": 33, "text": "> Bom ", "segments": 1, "holes": 0,
    }  # fmt: skip
    assert (second[1], second[2]["text"], second[2]["holes"]) == ("1.1", "dia. Olá. ", 1)
    assert last[:2] == ("result", "1.result")
    assert (last[2]["status"], last[2]["result"]["text"], last[2]["is_finished"]) == (
        "COMPLETED",
        "Bom dia.",
        True,
    )


def test_a_client_that_was_cut_off_hears_the_rest(http, world):
    world.views[JOB] = view(batches=3)
    world.slots[JOB] = [batch(0, "a"), batch(1, "b")]
    world.finishes_at_look[3] = result()
    found = events_of(http.get(URL, headers={"Last-Event-ID": "1.0"}).text)
    assert [one[1] for one in found] == ["1.1", "1.result"]


def test_behind_the_result_nothing_comes_and_the_client_need_not_ask_again(http, world):
    world.results[JOB] = result()
    assert http.get(URL, headers={"Last-Event-ID": "1.result"}).status_code == 204


def test_a_finished_job_is_one_event(http, world):
    world.results[JOB] = result()
    assert [one[0] for one in events_of(http.get(URL).text)] == ["result"]


def test_a_job_whose_result_has_expired_still_ends_the_stream(http, world):
    world.views[JOB] = view(stage=JobStage.FINISHED, status=ResultStatus.COMPLETED)
    (event,) = events_of(http.get(URL).text)
    assert (event[0], event[2]["is_finished"], event[2]["result"]) == ("result", True, None)


def test_a_result_is_streamed_when_it_is_published_before_the_view_shows_it(http, world):
    world.views[JOB] = view(batches=3)
    world.published[JOB] = result(text="Told at once.")
    (event,) = events_of(http.get(URL).text)
    assert event[2]["result"]["text"] == "Told at once."


def test_an_unknown_job_and_an_unknown_event_are_problems(http, world):
    problem_of(http.get(URL), 404, "unknown_job")
    world.views[JOB] = view()
    for unknown in ("7", "2.0", "1.x", "1.", "1." + "9" * 5000, "1.\u0663".encode()):
        problem = problem_of(http.get(URL, headers={"Last-Event-ID": unknown}), 422, "bad_event_id")
        assert problem["field"] == "Last-Event-ID"


def test_a_store_that_is_away_is_a_problem_before_the_stream_begins(http, world):
    world.views[JOB] = view()
    world.take_away("redis")
    assert http.get(URL).status_code == 503


def test_every_id_that_is_sent_is_understood():
    assert [batch_after(one) for one in (None, "1.0", "1.41", "1.result")] == [0, 1, 42, None]
    with pytest.raises(PermanentError):
        batch_after("1.-1")


def test_a_stream_that_lasts_too_long_ends_and_one_too_many_is_refused(world):
    world.views[JOB] = view()
    limits = HttpLimits(max_stream_seconds=0.05, poll_seconds=0.001, look_seconds=0.01)
    ports = Ports(world, world, world, world, world, None, None, None, lambda: 0)  # type: ignore[arg-type]  # not asked

    async def look() -> tuple[list[bytes], int]:
        streams = OpenStreams(most=1)
        first = job_events(JOB, 0, ports, limits, streams)
        begun = await anext(first)
        with pytest.raises(OverloadedError, match="1 streams"):
            await anext(job_events(key("other"), 0, ports, limits, streams))
        rest = [event async for event in first]
        again = [event async for event in job_events(JOB, 0, ports, limits, streams)]
        return [begun, *rest], len(again)

    assert asyncio.run(look()) == ([b"retry: 1000\n\n"], 1)


def test_a_store_that_goes_away_ends_the_stream_for_the_client_to_come_again(world):
    world.views[JOB] = view(batches=3)
    world.slots[JOB] = [batch(0, "a")]
    limits = HttpLimits(poll_seconds=0.001, look_seconds=0.01)
    ports = Ports(world, world, world, world, world, None, None, None, lambda: 0)  # type: ignore[arg-type]  # not asked

    async def look() -> list[bytes]:
        found = []
        async for event in job_events(JOB, 0, ports, limits, OpenStreams(most=1)):
            found.append(event)
            if len(found) == 2:  # the head and the first batch
                world.take_away("redis")
        return found

    assert len(asyncio.run(look())) == 2


def test_a_text_that_is_stored_apart_is_in_the_result(http, world):
    world.texts["r"] = "a long text"
    world.results[JOB] = TranslationResult(
        request_id="job", tenant="default", status=ResultStatus.COMPLETED, content_ref="r"
    )
    (event,) = events_of(http.get(URL).text)
    assert event[2]["result"]["text"] == "a long text"
