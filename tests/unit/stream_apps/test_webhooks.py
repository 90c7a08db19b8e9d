"""Webhooks: signed, sent at least once with one id, tried for a day, slow hosts apart."""

import asyncio
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from connectors.kafka.commit_tracker import CommitTracker
from connectors.kafka.committing_reader import TakenRecord
from connectors.memory import InMemoryDeliveries
from connectors.webhooks.client import Answer
from schemas.accounts import Tenant
from schemas.codec import Codec
from schemas.deliveries import DeliveryState
from schemas.errors import FatalError, TransientError
from schemas.messages import TranslationResult
from schemas.records import CALLBACK_HEADER, InboundRecord
from schemas.states import ResultStatus
from stream_apps.accounts.changes import Change, new_tenant
from stream_apps.accounts.store import InMemoryAccounts
from stream_apps.accounts.webhook_secrets import WebhookSecrets, rotated
from stream_apps.runtime.retrying_loop import Turn
from stream_apps.webhooks.body import delivery_of
from stream_apps.webhooks.dispatcher import Dispatcher
from stream_apps.webhooks.outcome import Moment, after
from stream_apps.webhooks.recovery import DeliveryRecovery
from stream_apps.webhooks.secret_book import SecretBook
from stream_apps.webhooks.settings import WebhookLimits
from stream_apps.webhooks.signing import signed_headers
from stream_apps.webhooks.taking import Taker
from tests.webhooks import NOW_MS, delivery

LIMITS = WebhookLimits(poll_seconds=0.01)
PLATFORM = "a platform secret of more than 32 characters"
CHANGE = Change("tests", NOW_MS)
DAY_MS = 24 * 3600 * 1000
CALLBACK = "https://hooks.acme.example/in"
RESULT = TranslationResult(
    tenant="acme",
    request_id="r 1",
    status=ResultStatus.COMPLETED,
    text="Bom dia.",
    source_words=2,
    completed_at=NOW_MS,
    callback=CALLBACK,
)


@pytest.fixture
def store():
    made = InMemoryAccounts()
    made.change(lambda found: [new_tenant(found, Tenant(tenant="acme"), CHANGE)])
    return made


class TestSecrets:
    """Derived, rotated with an overlap."""

    def signed(self, store, secrets, now_ms=NOW_MS):
        return secrets.signing(store.directory, "acme", now_ms)

    def test_each_tenant_has_a_secret_of_its_own_before_anybody_asked(self, store):
        secrets = WebhookSecrets([PLATFORM])
        (ours,), (theirs,) = self.signed(store, secrets), secrets.signing(store.directory, "globex", NOW_MS)
        assert ours.startswith("whsec_")
        assert ours != theirs
        assert ours not in repr(secrets.shown(store.directory, "acme", NOW_MS))

    def test_after_a_rotation_both_sign_until_the_overlap_ends(self, store):
        secrets = WebhookSecrets([PLATFORM])
        before = self.signed(store, secrets)
        written = store.change(lambda found: rotated(found, "acme", 1000, CHANGE))
        assert all(one.secret_hash == "" for one in written)
        new, old = self.signed(store, secrets)
        assert [old] == before
        assert self.signed(store, secrets, NOW_MS + 1000) == [new]
        store.change(lambda found: rotated(found, "acme", 0, replace(CHANGE, now_ms=NOW_MS + 2000)))
        (newest,) = self.signed(store, secrets, NOW_MS + 2000)
        assert newest != new

    def test_a_new_platform_secret_signs_beside_the_old_one(self, store):
        before = self.signed(store, WebhookSecrets([PLATFORM]))
        both = self.signed(store, WebhookSecrets([PLATFORM[::-1], PLATFORM]))
        assert both[1:] == before

    def test_a_weak_platform_secret_is_refused(self):
        with pytest.raises(FatalError, match="32 characters"):
            WebhookSecrets(["short"])

    def test_nobody_gets_in_with_the_id_of_a_secret(self, store):
        (new, _old) = store.change(lambda found: rotated(found, "acme", 1000, CHANGE))
        with pytest.raises(Exception, match="no such API key"):
            store.directory.holder_of_key(f"drg_{new.credential_id}_{'x' * 43}", NOW_MS)

    def test_the_accounts_are_read_once_for_many_deliveries(self, store):
        reads = []

        class Counting(InMemoryAccounts):
            def read(self):
                reads.append(1)
                return store.directory

        async def ask():
            book = SecretBook(Counting(), WebhookSecrets([PLATFORM]), 30, lambda: NOW_MS)
            return await asyncio.gather(*(book.of("acme") for _ in range(10)))

        assert len({one[0] for one in asyncio.run(ask())}) == 1
        assert len(reads) == 1


class TestSigning:
    """By the reference library of Standard Webhooks."""

    now = int(datetime.now(UTC).timestamp())

    def test_the_library_accepts_our_signature_by_any_of_the_secrets(self, store):
        secrets = WebhookSecrets([PLATFORM])
        store.change(lambda found: rotated(found, "acme", 1000, CHANGE))
        both = secrets.signing(store.directory, "acme", NOW_MS)
        body = '{"é":1}'.encode()
        headers = signed_headers("msg_1", self.now, body, both)
        for one in both:
            assert Webhook(one).verify(body, headers) == {"é": 1}

    @pytest.mark.parametrize("changed", ["body", "webhook-id", "webhook-timestamp"])
    def test_the_library_refuses_whatever_was_changed(self, store, changed):
        (secret,) = WebhookSecrets([PLATFORM]).signing(store.directory, "acme", NOW_MS)
        body, headers = b"{}", signed_headers("msg_1", self.now, b"{}", [secret])
        if changed == "body":
            body = b"[]"
        else:
            headers[changed] = headers[changed][:-1] + ("1" if headers[changed][-1] != "1" else "2")
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, headers)


class TestBody:
    """What is posted."""

    def test_it_names_the_job_and_where_to_fetch_it_and_not_its_text(self):
        body = body_of(RESULT, public_url="https://api.example/")
        assert (body["type"], body["timestamp"]) == ("translation.completed", "2023-11-14T22:13:20.000Z")
        data = body["data"]
        assert (data["job_id"], data["tenant"], data["status"], data["words"]) == ("r 1", "acme", "COMPLETED", 2)
        assert data["url"] == "https://api.example/api/v1/translations/r%201"
        assert "text" not in data

    def test_a_text_that_fits_the_setting_is_in_it(self):
        assert body_of(RESULT, inline_text_bytes=8)["data"]["text"] == "Bom dia."
        assert "text" not in body_of(RESULT, inline_text_bytes=7)["data"]

    def test_a_document_is_fetched_as_one(self):
        assert body_of(replace(RESULT, kind="document", text=None))["data"]["url"] == "/api/v1/documents/r%201"

    def test_no_callback_and_an_old_result_make_no_delivery(self):
        assert delivery_of(replace(RESULT, callback=None), LIMITS, NOW_MS) is None
        assert delivery_of(RESULT, LIMITS, NOW_MS + DAY_MS) is None


def body_of(result, **limits):
    found = delivery_of(result, WebhookLimits(**limits), NOW_MS)
    assert found
    return json.loads(found.body)


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

    async def post(self, url, headers, body):
        self.ids.append(headers["webhook-id"])
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


def dispatcher(queue, posts, clock=None, **limits):
    return Dispatcher(queue, posts, secrets_of, WebhookLimits(**limits), clock or Clock(), chance=lambda: 0.0)


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
                    raise TransientError("away")
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
            await turned(one)
            assert posts.ids == [delivery("b").key.webhook_id]
            queue.enqueue([delivery("c")])
            one.secrets = refused
            await asyncio.wait_for(one.run(lambda: False), 5)

        with pytest.raises(FatalError, match="refuses the credentials"):
            asyncio.run(run())


class Source:
    """Records in memory, taken once."""

    def __init__(self, records):
        self.tracker, self.records, self.commits = CommitTracker(), records, 0

    def take(self, limit, timeout_seconds, limit_bytes):
        taken, self.records = self.records, []
        tracker = self.tracker
        return [TakenRecord(one, tracker.took(one.topic, one.partition, one.offset, 0.0)) for one in taken]

    def commit(self):
        self.commits += 1
        return True


def record(offset, value, **headers):
    return InboundRecord("translation.results", 0, offset, b"k", value, headers)


class TestTaker:
    """Results become deliveries before their offsets are committed."""

    def test_only_results_with_a_callback_are_told_and_all_are_finished(self):
        encoded, told = Codec().encode(RESULT), {CALLBACK_HEADER: b"1"}
        source, queue, woken = (
            Source(
                [
                    record(0, encoded),
                    record(1, encoded, **told),
                    record(2, b"rubbish", **told),
                    record(3, None, **told),
                ]
            ),
            InMemoryDeliveries(),
            [],
        )
        taker = Taker(source, queue, Codec(), LIMITS, lambda: NOW_MS, lambda: woken.append(1), clock=lambda: 10.0)
        assert taker.turn() is Turn.DONE
        assert taker.turn() is Turn.IDLE
        (found,) = asyncio.run(queue.of_job(RESULT.key))
        assert (found.url, found.due_at) == (CALLBACK, NOW_MS)
        assert source.tracker.due() == {("translation.results", 0): 4}
        assert (source.commits, woken) == (1, [1])

    def test_while_the_state_is_away_nothing_is_committed(self):
        class Away(InMemoryDeliveries):
            def enqueue(self, deliveries):
                raise TransientError("away")

        source = Source([record(0, Codec().encode(RESULT), **{CALLBACK_HEADER: b"1"})])
        taker = Taker(source, Away(), Codec(), LIMITS, lambda: NOW_MS, lambda: None, clock=lambda: 10.0)
        with pytest.raises(TransientError):
            taker.turn()
        assert source.tracker.due() == {}
        assert source.commits == 0


class Log:
    """Results in memory."""

    def __init__(self, *takes):
        self.takes, self.is_closed = list(takes), False

    @property
    def is_done(self):
        return not self.takes

    def take(self, limit, timeout_seconds):
        return self.takes.pop(0)

    def close(self):
        self.is_closed = True


class TestRecovery:
    """A lost state is filled from the results."""

    def recovery(self, queue, log, clock):
        told = {CALLBACK_HEADER: b"1"}
        taker = Taker(Source([]), queue, Codec(), LIMITS, lambda: NOW_MS, lambda: None)
        log.takes = [[record(0, Codec().encode(RESULT), **told)], []] if log.takes else []
        opened = []

        def open_log(since_ms):
            opened.append(since_ms)
            return log

        made = DeliveryRecovery(queue, taker.note, open_log, DAY_MS, lambda: NOW_MS, clock=clock)
        return made, opened

    def test_deliveries_of_the_last_day_are_noted_again_and_only_then_is_it_complete(self):
        queue, log, now = InMemoryDeliveries(), Log([]), [0.0]
        recovery, opened = self.recovery(queue, log, lambda: now[0])
        recovery.ensure()
        assert queue.is_complete()
        assert (opened, log.is_closed) == ([NOW_MS - DAY_MS], True)
        assert len(asyncio.run(queue.of_job(RESULT.key))) == 1
        now[0] = 100.0
        recovery.ensure()
        assert len(opened) == 1

    def test_a_failure_on_the_way_begins_anew(self):
        class Failing(Log):
            def take(self, limit, timeout_seconds):
                raise TransientError("Kafka is away")

        queue, now = InMemoryDeliveries(), [0.0]
        recovery, opened = self.recovery(queue, Failing([]), lambda: now[0])
        for _ in range(2):
            with pytest.raises(TransientError):
                recovery.ensure()
        assert len(opened) == 2
        assert not queue.is_complete()


def test_the_example_of_the_documentation_accepts_ours_once_and_refuses_others(store, capsys):
    page = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    namespace: dict[str, Any] = {}
    exec(compile(example, "docs/webhooks.md", "exec"), namespace)
    (secret,) = WebhookSecrets([PLATFORM]).signing(store.directory, "acme", NOW_MS)
    body = json.dumps(body_of(RESULT)).encode()
    headers = signed_headers("msg_1", TestSigning.now, body, [secret])
    assert [namespace["receive"](headers, body, secret) for _ in range(2)] == [204, 204]
    assert capsys.readouterr().out == "r 1 COMPLETED\n"
    with pytest.raises(WebhookVerificationError):
        namespace["receive"](headers, body + b" ", secret)
