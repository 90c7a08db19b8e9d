"""How much a tenant may ask for by HTTP: the answer 429, its headers, and what a refusal or a failure leaves."""

import asyncio

import pytest

from connectors.memory import InMemoryShares
from producers.http.admission.tenant_shares import TenantShares
from producers.http.errors import TooManyRequestsError
from schemas.errors import TransientError
from schemas.ids import JobKey
from schemas.shares import Limits, Wish
from schemas.topics import DAY_MS
from stream_apps.accounts.changes import Change, TenantChange, changed_tenant
from tests.accounts import NOW_MS, key_of
from tests.unit.producers.problem import problem_of

URL = "/api/v1/translations"
BODY = {"text": "Good morning.", "target_language": "pt"}
CHANGE = Change("tests", NOW_MS)


@pytest.fixture
def limited(http, store):
    """`limited(tier, limits)`: a caller whose tenant has those."""

    def give(tier=None, **limits):
        wish = TenantChange(tier=tier, limits=limits)
        store.change(lambda found: [changed_tenant(found, "acme", wish, CHANGE)])
        return http.showing(key_of(store, "acme").text)

    return give


@pytest.mark.parametrize(("tier", "most"), [("free", 10), ("premium", 100), ("enterprise", 1000)])
def test_a_tier_has_so_many_requests_a_minute_and_says_how_many_are_left(limited, tier, most):
    client = limited(tier, requests_in_flight=0)
    answers = (
        [client.post(URL, json=BODY) for _ in range(most + 1)] if most < 1000 else [client.post(URL, json=BODY)]
    )
    first = answers[0].headers
    assert (first["ratelimit-limit"], first["ratelimit-remaining"]) == (str(most), str(most - 1))
    if most < 1000:
        assert {one.status_code for one in answers[:most]} == {202}
        refused = answers[most]
        assert problem_of(refused, 429, "too_many_requests")["limit"] == f"{most} a minute"
        assert refused.headers["ratelimit-remaining"] == "0"
        assert 1 <= int(refused.headers["retry-after"]) <= 60 // most + 1
        assert refused.headers["ratelimit-reset"] == "60"


def test_a_tenant_without_limits_gets_no_headers_and_asks_nobody(http):
    http.app.state.ports.shares.shares = None
    answer = http.post(URL, json=BODY)
    assert answer.status_code == 202
    assert "ratelimit-limit" not in answer.headers


def test_more_characters_than_a_days_wait_for_midnight(limited):
    client = limited(characters_per_day=20)
    assert client.post(URL, json=BODY).status_code == 202
    answer = client.post(URL, json=BODY)
    assert "20 characters a day" in problem_of(answer, 429, "characters_used_up")["limit"]
    # NOW_MS is 22:13:20 UTC.
    assert answer.headers["retry-after"] == str(6400)


def test_too_much_in_flight_is_refused_until_an_answer_comes(limited, http, world):
    client = limited(requests_in_flight=2)
    jobs = [client.post(URL, json=BODY).json()["job_id"] for _ in range(2)]
    problem = problem_of(client.post(URL, json=BODY), 429, "too_much_in_flight")
    assert problem["limit"] == "2 requests that are not answered yet"
    assert http.app.state.ports.shares.shares.answered(world.appended[0][0].key)
    assert client.post(URL, json=BODY).status_code == 202
    assert len(set(jobs)) == 2


def test_what_kafka_did_not_store_takes_nothing_of_the_share(limited, world):
    client = limited(requests_in_flight=1, characters_per_day=13)
    world.take_away("kafka")
    assert client.post(URL, json=BODY).status_code == 503
    world.away.clear()
    assert client.post(URL, json=BODY).status_code == 202


def test_a_repeat_that_kafka_did_not_store_leaves_the_share_of_the_first(limited, world):
    client, named = limited(requests_in_flight=1), {"Idempotency-Key": "one"}
    assert client.post(URL, json=BODY, headers=named).status_code == 202
    world.take_away("kafka")
    assert client.post(URL, json=BODY, headers=named).status_code == 503
    world.away.clear()
    problem_of(client.post(URL, json=BODY), 429, "too_much_in_flight")


def wish_of(characters=10, **limits):
    return Wish(JobKey("acme", f"r{characters}"), characters, Limits(**limits))


def test_what_was_taken_before_midnight_is_given_back_to_its_own_day():
    now = [DAY_MS - 1]
    shares, wish = TenantShares(InMemoryShares(), lambda: now[0]), wish_of(characters_per_day=10)

    async def go():
        taken = await shares.take(wish)
        now[0] = DAY_MS
        await shares.take(wish_of(9, characters_per_day=10))
        await shares.give_back(wish, taken.at_ms)
        with pytest.raises(TooManyRequestsError):
            await shares.take(wish_of(2, characters_per_day=10))
        now[0] = DAY_MS - 1
        await shares.take(wish)

    asyncio.run(go())


def test_what_was_not_taken_while_redis_was_away_is_not_given_back_when_it_is_there_again():
    kept, away, wish = InMemoryShares(), Away(), wish_of(requests_in_flight=1)
    shares = TenantShares(away, lambda: 0)

    async def go():
        taken = await shares.take(wish)
        await kept.take(wish, 0)
        shares.shares = kept
        await shares.give_back(wish, taken.at_ms)
        assert kept.answered(wish.key)

    asyncio.run(go())


def test_a_submission_that_is_refused_for_another_reason_takes_nothing(limited):
    client = limited(requests_per_minute=1)
    assert client.post(URL, json=BODY | {"target_language": "!"}).status_code == 422
    assert client.post(URL, json=BODY).status_code == 202


def test_an_operator_acts_within_the_limits_of_the_tenant_that_pays(limited, http):
    limited(requests_per_minute=1)
    assert http.post(URL, json=BODY | {"tenant": "acme"}).status_code == 202
    assert http.post(URL, json=BODY | {"tenant": "acme"}).status_code == 429
    assert http.post(URL, json=BODY).status_code == 202


def test_reads_have_a_limit_of_their_own(limited):
    client = limited(reads_per_minute=2)
    answers = [client.get(f"{URL}/nobodys") for _ in range(3)]
    assert [one.status_code for one in answers] == [404, 404, 429]
    problem_of(answers[2], 429, "too_many_reads")
    assert client.post(URL, json=BODY).status_code == 202


class Away:
    """Redis does not answer."""

    asked = 0

    async def take(self, wish, now_ms):
        self.asked += 1
        raise TransientError("Redis: ConnectionError")

    give_back = take


def test_while_redis_is_away_each_process_counts_the_minute_and_asks_it_rarely(limited, http):
    client, away, now = limited(requests_per_minute=3, requests_in_flight=1), Away(), [NOW_MS]
    ports = http.app.state.ports
    object.__setattr__(ports, "shares", TenantShares(away, lambda: now[0]))
    answers = [client.post(URL, json=BODY) for _ in range(4)]
    assert [one.status_code for one in answers] == [202, 202, 202, 429]
    assert away.asked == 1
    now[0] += 1000
    client.post(URL, json=BODY)
    assert away.asked == 2
