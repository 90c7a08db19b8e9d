"""What callers see of a job, from what HTTP, intake and assembly note of it in a real Valkey: in any order."""

import asyncio
from dataclasses import replace
from itertools import permutations

import pytest
import redis
import redis.asyncio

from connectors.redis.job_view import AsyncJobViews, JobRecord, JobView, JobViews, header_of
from connectors.redis.request_markers import AcceptedRequests, Deadlines, RedisRequestPlans
from connectors.redis.slots import RedisSlots, SlotRetention
from schemas.plans import RequestPlan
from schemas.records import StoredAt
from schemas.slots import Arrival, Completion
from schemas.states import JobStage, ResultStatus
from tests.keys import key, revision
from tests.valkey import running_valkey

R1 = key("r1", "acme")
ACCEPTED = RequestPlan(priority="high", source_language="auto", target_language="pt", submitted_at=5, noted_at=6)
PLANNED = RequestPlan(
    fingerprint="f", priority="high", pool="gpu", source_language="en", target_language="pt", split="v1/3/f",
    segments=70, batches=3, words=900, cached_segments=4, submitted_at=5, noted_at=9, deadline=99,
    last_batch=StoredAt(2, 40),
)  # fmt: skip
DONE = Completion("translation.translated-0-7", "PARTIAL", 30, b"the encoded result")


class State:
    """The writers and readers of one state; every call of a writer runs an event loop to its end."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = redis.Redis.from_url(url)
        self.client.flushall()
        self.slots = RedisSlots(self.client, SlotRetention(100, 200))

    def accept(self) -> None:
        self._run(lambda client: AcceptedRequests(client, 100).note({R1: ACCEPTED}))

    def plan(self, plan: RequestPlan = PLANNED, *, replaces: bool = False) -> None:
        self._run(lambda client: RedisRequestPlans(client, 100, replaces=replaces).note({R1: plan}))

    def fill(self, number: int) -> None:
        request = revision("r1", tenant="acme")
        self.slots.decide([Arrival(request, PLANNED.split, number, 3, b"batch %d" % number, f"t-0-{number}")])

    def batches(self, first: int, most: int = 10) -> list[bytes]:
        return list(self._run(lambda client: AsyncJobViews(client).follow(R1, first, most)).batches)

    def finish(self) -> None:
        self.slots.finish({revision("r1", tenant="acme"): DONE})

    def look(self, name=R1) -> JobRecord:
        return self._run(lambda client: AsyncJobViews(client).look(name))

    def view(self) -> JobView:
        view = self.look().view
        assert view is not None
        return view

    def _run(self, call):
        async def once():
            async with redis.asyncio.Redis.from_url(self.url) as client:
                return await call(client)

        return asyncio.run(once())


@pytest.fixture(scope="module")
def valkey():
    with running_valkey() as url:
        yield url


@pytest.fixture
def state(valkey) -> State:
    return State(valkey)


def test_of_a_job_that_nobody_has_noted_nothing_is_known(state):
    assert state.look() == JobRecord(None, None)
    assert JobViews(state.client).read(R1) is None


def test_an_accepted_job_is_known_before_anybody_has_read_it(state):
    state.accept()
    view = state.view()
    assert (view.stage, view.priority, view.target_language, view.submitted_at) == (
        JobStage.ACCEPTED, "high", "pt", 5,
    )  # fmt: skip
    assert (view.progress, view.batches, view.status, view.last_batch) == (0.0, 0, None, None)


def test_a_document_is_extracted_then_translated_then_merged(state):
    file: dict = {"kind": "document", "file_name": "a.pptx", "content_bytes": 70}
    state.plan(RequestPlan(fingerprint="f", **file))
    view = state.view()
    assert (view.stage, view.kind, view.file_name, view.pages) == (JobStage.EXTRACTING, "document", "a.pptx", None)
    state.plan(replace(PLANNED, **file, pages=3), replaces=True)
    stages = [state.view().stage]
    for number in range(3):
        state.fill(number)
        stages.append(state.view().stage)
    assert stages == [JobStage.SEGMENTED, JobStage.TRANSLATED, JobStage.TRANSLATED, JobStage.MERGING]
    assert (state.view().pages, state.view().content_bytes) == (3, 70)
    state.finish()
    assert state.view().stage is JobStage.FINISHED


def test_intake_knows_how_much_work_it_is_and_where_its_last_batch_waits(state):
    state.accept()
    state.plan()
    view = state.view()
    assert (view.stage, view.pool, view.source_language) == (JobStage.SEGMENTED, "gpu", "en")
    assert (view.segments, view.batches, view.words, view.cached_segments) == (70, 3, 900, 4)
    assert (view.last_batch, view.updated_at) == (StoredAt(2, 40), 9)


def test_the_slots_of_a_document_are_its_progress(state):
    state.plan()
    for number in (2, 0):
        state.fill(number)
    view = state.view()
    assert (view.stage, view.batches_done, round(view.progress, 2)) == (JobStage.TRANSLATED, 2, 0.67)


def test_batches_are_read_in_order_up_to_the_first_that_is_missing(state):
    assert state.batches(0) == []
    state.plan()
    state.fill(1)
    assert state.batches(0) == []
    state.fill(0)
    assert (state.batches(0), state.batches(1), state.batches(2)) == ([b"batch 0", b"batch 1"], [b"batch 1"], [])
    assert state.batches(0, most=1) == [b"batch 0"]
    state.fill(2)
    state.finish()
    assert state.batches(0) == []


def test_a_finished_job_has_its_status_and_its_result(state):
    state.plan()
    state.finish()
    view = state.view()
    assert (view.stage, view.status, view.progress) == (JobStage.FINISHED, ResultStatus.PARTIAL, 1.0)
    assert (view.batches_done, view.updated_at, view.last_batch) == (3, 30, None)
    assert state.look().result == b"the encoded result"


@pytest.mark.parametrize("order", list(permutations(["accept", "plan", "finish"])))
def test_whoever_notes_last_the_view_is_the_same(state, order):
    for name in order:
        getattr(state, name)()
    view = state.view()
    assert (view.stage, view.status, view.pool, view.words, view.updated_at) == (
        JobStage.FINISHED, ResultStatus.PARTIAL, "gpu", 900, 30,
    )  # fmt: skip


def test_the_job_of_another_tenant_with_the_same_id_is_another_job(state):
    state.plan()
    assert state.look(key("r1", "globex")) == JobRecord(None, None)


def test_a_repeat_does_not_change_the_plan(state):
    state.plan()
    state.plan(RequestPlan(fingerprint="other", batches=9))
    assert state.view().batches == 3


def test_an_open_request_has_its_deadline_until_it_is_answered(state):
    state.plan()
    deadlines = Deadlines(state.client)
    assert deadlines.passed(98, 10) == []
    assert deadlines.passed(99, 10) == [R1]
    state.finish()
    assert deadlines.passed(99, 10) == []


def test_a_plan_that_comes_after_the_answer_brings_no_deadline_back(state):
    state.finish()
    state.plan()
    assert Deadlines(state.client).passed(99, 10) == []


def test_orders_carry_the_header_as_far_as_it_is_known(state):
    state.plan()
    view = JobViews(state.client).read(R1)
    assert view is not None
    header = header_of(view)
    assert (header.priority, header.pool, header.segments, header.batches, header.words) == (
        "high", "gpu", 70, 3, 900,
    )  # fmt: skip


def test_every_note_expires(state):
    state.accept()
    state.plan()
    state.finish()
    names = [f"{kind}:{{acme/r1}}" for kind in ("acc", "req", "done", "result")]
    assert all(0 < state.client.ttl(name) <= 200 or name.startswith("result") for name in names)
    assert 0 < state.client.ttl("result:{acme/r1}") <= 86_400
