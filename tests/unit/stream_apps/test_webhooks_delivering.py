"""Webhooks are sent at least once with one id, tried for a day, slow hosts apart."""

import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from connectors.memory import InMemoryDeliveries
from connectors.tracing.memory import MemoryTracer
from connectors.tracing.spans import About, SpanKind
from connectors.webhooks.client import Answer
from schemas.deliveries import DeliveryState
from schemas.errors import FatalError, TransientError
from schemas.traces import TraceParent
from stream_apps.webhooks.dispatcher import Dispatcher
from stream_apps.webhooks.outcome import Moment, after
from stream_apps.webhooks.settings import WebhookLimits
from tests.webhooks import NOW_MS, delivery

LIMITS = WebhookLimits(poll_seconds=0.01)
DAY_MS = 24 * 3600 * 1000


class TestOutcome:
    """What becomes of a delivery."""

    def test_any_2xx_is_the_end(self):
        done = after(delivery(), Answer(299, 0.1), Moment(NOW_MS, 0.5), LIMITS)
        assert (done.state, done.due_at, done.count) == (DeliveryState.DELIVERED, 0, 1)

    @pytest.mark.parametrize("answer", [Answer(302, 0), Answer(404, 0), Answer(500, 0), Answer(0, 0, "timeout")])
    def test_anything_else_is_tried_again(self, answer):
        tried = after(delivery(), answer, Moment(NOW_MS, 0.0), LIMITS)
        assert (tried.state, tried.due_at) == (DeliveryState.PENDING, NOW_MS + 5000)

    def test_who_wants_no_more_gets_no_more(self):
        assert after(delivery(), Answer(410, 0), Moment(NOW_MS, 0), LIMITS).state is DeliveryState.GIVEN_UP

    def test_an_endpoint_may_ask_for_a_longer_pause_up_to_the_longest(self):
        def due(seconds):
            return after(delivery(), Answer(503, 0, "", seconds), Moment(NOW_MS, 0), LIMITS).due_at - NOW_MS

        assert (due(1), due(600), due(999_999)) == (5000, 600_000, 3_600_000)

    @pytest.mark.parametrize("chance", [0.0, 1.0])
    def test_pauses_double_to_an_hour_and_end_after_a_day(self, chance):
        one, now, pauses = delivery(), NOW_MS, []
        while one.state is DeliveryState.PENDING:
            one = after(one, Answer(500, 0), Moment(now, chance), LIMITS)
            pauses.append(one.due_at - now)
            now = one.due_at
        share = 1 - 0.25 * chance
        assert [round(pause / 1000 / share) for pause in pauses[:10]] == [
            5,
            10,
            20,
            40,
            80,
            160,
            320,
            640,
            1280,
            2560,
        ]
        assert set(pauses[10:-1]) == {round(3_600_000 * share)}
        assert one.state is DeliveryState.GIVEN_UP
        assert one.attempts[-1].at <= NOW_MS + DAY_MS < one.attempts[-1].at + 3_600_000
        assert one.count == len(pauses) > len(one.attempts)


class Posts:
    """A receiver in memory: remembers ids; answers as told, after waiting for `gate` where the host has one."""

    def __init__(self, *answers, gates=None):
        self.answers, self.ids, self.gates = list(answers) or [Answer(200, 0.01)], [], gates or {}
        self.headers = []

    async def post(self, url, headers, body):
        self.ids.append(headers["webhook-id"])
        self.headers.append(headers)
        if gate := next((gate for host, gate in self.gates.items() if host in url), None):
            await gate.wait()
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Clock:
    """Milliseconds that a test moves on."""

    def __init__(self):
        self.now = NOW_MS

    def __call__(self):
        return self.now


async def secrets_of(_tenant):
    return ["whsec_c2VjcmV0"]


async def no_pause(_seconds):
    return None


def dispatcher(queue, posts, clock=None, **limits):
    settings, now_ms = WebhookLimits(**limits), clock or Clock()
    return Dispatcher(queue, posts, secrets_of, settings, now_ms, chance=lambda: 0.0, sleep=no_pause)


async def turned(one):
    begun = await one.turn()
    await one.drain()
    return begun


class TestDispatcher:
    """At least once, and nobody waits for others."""

    def test_it_is_posted_and_noted(self):
        async def run():
            queue, posts = InMemoryDeliveries(), Posts()
            queue.enqueue([delivery()])
            assert await turned(dispatcher(queue, posts)) == 1
            return posts.ids, await queue.of_job(delivery().key.job)

        ids, (noted,) = asyncio.run(run())
        assert ids == [noted.key.webhook_id]
        assert noted.state is DeliveryState.DELIVERED

    def test_the_post_carries_the_trace_of_its_result(self):
        header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        queue, posts = InMemoryDeliveries(), Posts()
        queue.enqueue([delivery(), delivery("r2", traceparent=header)])
        asyncio.run(turned(dispatcher(queue, posts)))
        assert [one.get("traceparent") for one in posts.headers] == [None, header]

    def test_each_attempt_is_a_span_below_its_result(self):
        above = TraceParent("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", 1)
        queue, posts, tracer = InMemoryDeliveries(), Posts(Answer(0, 0.1, "timeout")), MemoryTracer()
        queue.enqueue([delivery(traceparent=above.encode().decode())])
        one = replace(dispatcher(queue, posts), tracer=tracer)
        asyncio.run(turned(one))
        (span,) = tracer.ended
        assert (span.parent, span.error, span.kind) == (above, "timeout", SpanKind.CLIENT)
        assert posts.headers[0]["traceparent"] == span.header.decode()
        assert span.facts[About.REQUEST_ID] == "r1"
        assert (span.facts[About.OUTCOME], span.facts[About.ATTEMPT]) == ("failed", 1)

    def test_killed_between_the_post_and_its_note_it_is_delivered_again_with_the_same_id(self):
        class Killed(InMemoryDeliveries):
            is_away = True

            async def settle(self, one):
                if self.is_away:
                    raise TransientError("killed")
                await super().settle(one)

        async def run():
            queue, posts, clock = Killed(), Posts(), Clock()
            queue.enqueue([delivery()])
            await turned(dispatcher(queue, posts, clock))
            queue.is_away = False
            other = dispatcher(queue, posts, clock)
            assert await turned(other) == 0
            clock.now += WebhookLimits().lease_ms
            assert await turned(other) == 1
            return posts.ids, await queue.of_job(delivery().key.job)

        ids, (noted,) = asyncio.run(run())
        assert ids == [noted.key.webhook_id] * 2
        assert noted.state is DeliveryState.DELIVERED

    def test_what_the_state_does_not_take_at_once_is_noted_a_moment_later_and_not_posted_again(self):
        class Busy(InMemoryDeliveries):
            refusals, under_way, most = 30, 0, 0

            async def settle(self, one):
                self.under_way += 1
                self.most = max(self.most, self.under_way)
                await asyncio.sleep(0)
                self.under_way -= 1
                if self.refusals:
                    self.refusals -= 1
                    raise TransientError("too many connections")
                await super().settle(one)

        async def run():
            queue, posts = Busy(), Posts()
            queue.enqueue([delivery(f"{number}") for number in range(50)])
            assert await turned(dispatcher(queue, posts, most_of_host=50)) == 50
            states = {(await queue.of_job(delivery(f"{number}").key.job))[0].state for number in range(50)}
            return states, len(posts.ids), queue.most

        assert asyncio.run(run()) == ({DeliveryState.DELIVERED}, 50, 8)

    def test_it_is_tried_again_until_it_arrives(self):
        async def run():
            queue, posts, clock = (
                InMemoryDeliveries(),
                Posts(Answer(500, 0), Answer(0, 0, "timeout"), Answer(200, 0)),
                Clock(),
            )
            queue.enqueue([delivery()])
            one = dispatcher(queue, posts, clock)
            for _ in range(3):
                assert await turned(one) == 1
                assert await turned(one) == 0
                clock.now += 10_000
            return (await queue.of_job(delivery().key.job))[0]

        noted = asyncio.run(run())
        assert [attempt.status_code for attempt in noted.attempts] == [500, 0, 200]
        assert noted.state is DeliveryState.DELIVERED

    def test_a_slow_host_holds_up_no_other_and_gets_few_at_a_time(self):
        async def run():
            gate = asyncio.Event()
            queue, posts = InMemoryDeliveries(), Posts(gates={"slow": gate})
            slow = [delivery(f"s{number}", "https://slow.example/", due_at=NOW_MS - 9) for number in range(50)]
            queue.enqueue([*slow, *(delivery(f"f{number}", "https://fast.example/") for number in range(20))])
            one = dispatcher(queue, posts, most_under_way=20, most_of_host=4)
            while await one.turn():
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            for _ in range(100):
                await asyncio.sleep(0)
                await one.turn()
            fast = [(await queue.of_job(delivery(f"f{number}").key.job))[0].state for number in range(20)]
            under_way = len(posts.ids) - 20
            gate.set()
            await one.drain()
            return fast, under_way

        fast, under_way = asyncio.run(run())
        assert set(fast) == {DeliveryState.DELIVERED}
        assert under_way == 4

    def test_a_host_that_gave_no_answer_gets_one_attempt_at_a_time_until_it_does(self):
        async def run():
            queue, posts, begun = InMemoryDeliveries(), Posts(Answer(0, 0, "timeout"), Answer(200, 0)), []
            queue.enqueue([delivery("first", due_at=NOW_MS - 1)])
            one = dispatcher(queue, posts)
            begun.append(await turned(one))
            queue.enqueue([delivery(f"{number}") for number in range(9)])
            begun.extend([await turned(one), await turned(one)])
            return begun

        assert asyncio.run(run()) == [1, 1, 8]

    def test_it_runs_until_it_is_stopped_and_goes_on_when_the_state_comes_back(self):
        class Away(InMemoryDeliveries):
            calls = 0

            async def claim(self, *arguments):
                self.calls += 1
                if self.calls == 1:
                    raise TransientError("away", 0.01)
                return await super().claim(*arguments)

        async def run():
            queue, posts = Away(), Posts()
            queue.enqueue([delivery()])
            one = dispatcher(queue, posts, poll_seconds=60)
            one.wake()
            task = asyncio.create_task(one.run(lambda: len(posts.ids) == 1))
            await asyncio.wait_for(task, 5)
            return queue.calls, posts.ids

        calls, ids = asyncio.run(run())
        assert calls >= 2
        assert ids == [delivery().key.webhook_id]

    def test_a_defect_counts_as_a_failed_try_so_that_it_ends_after_a_day_like_any_other(self):
        class Broken(Posts):
            async def post(self, url, headers, body):
                raise KeyError(url)

        async def run():
            queue, clock = InMemoryDeliveries(), Clock()
            queue.enqueue([delivery()])
            one = dispatcher(queue, Broken(), clock)
            await turned(one)
            (noted,) = await queue.of_job(delivery().key.job)
            clock.now += DAY_MS
            await turned(one)
            (last,) = await queue.of_job(delivery().key.job)
            return noted, last

        noted, last = asyncio.run(run())
        assert (noted.state, noted.count, noted.due_at) == (DeliveryState.PENDING, 1, NOW_MS + 5000)
        assert noted.attempts[-1].error == "defect"
        assert last.state is DeliveryState.GIVEN_UP

    def test_a_defect_in_one_attempt_leaves_the_others_and_a_fatal_error_ends_all(self):
        class Broken(Posts):
            async def post(self, url, headers, body):
                if "broken" in url:
                    raise KeyError(url)
                return await super().post(url, headers, body)

        async def refused(_tenant):
            raise FatalError("Kafka refuses the credentials")

        async def run():
            queue, posts = InMemoryDeliveries(), Broken()
            queue.enqueue([delivery("a", "https://broken.example/"), delivery("b")])
            one = dispatcher(queue, posts)
            with capture_logs() as logged:
                await turned(one)
            told = [entry["event"] for entry in logged if entry["log_level"] != "debug"]
            assert told == ["webhook_failed"]
            assert posts.ids == [delivery("b").key.webhook_id]
            queue.enqueue([delivery("c")])
            one.secrets = refused
            await asyncio.wait_for(one.run(lambda: False), 5)

        with pytest.raises(FatalError, match="refuses the credentials"):
            asyncio.run(run())
