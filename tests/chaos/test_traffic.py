"""Texts and requests are drawn by the seed alone, and are as mixed as users are."""

from collections import Counter, defaultdict
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chaos.scenario import Scenario, write_texts
from tests.chaos.texts import probe_text, texts
from tests.chaos.traffic import PRIORITIES, TENANTS, Channel, Order, References, traffic

NAMES = [f"text-{number}" for number in range(20)]
REFERENCES = References(NAMES[:15], NAMES[15:])


@given(st.integers(0, 1000), st.integers(1, 300))
@settings(max_examples=30)
def test_the_same_seed_gives_the_same_requests_evenly_over_the_time(seed: int, count: int):
    sends = traffic(seed, count, REFERENCES, 60.0)
    first = {send.request.key: send.at_seconds for send in reversed(sends) if not send.order}

    assert sends == traffic(seed, count, REFERENCES, 60.0)
    assert sorted(first.values()) == [number * 60.0 / count for number in range(count)]


def test_every_way_and_priority_is_taken_and_some_requests_are_sent_again():
    sends = traffic(1, 1000, REFERENCES, 150.0)
    times = defaultdict(list)
    for send in sends:
        if not send.order:
            times[send.request.key].append(send.at_seconds)
    repeated = [found for found in times.values() if len(found) > 1]

    assert Counter(send.request.channel for send in sends).keys() == set(Channel)
    assert Counter(send.request.priority for send in sends).keys() == set(PRIORITIES)
    assert 100 < len(repeated) < 250
    assert 0 < sum(first == again for first, again in repeated) < len(repeated)


def test_some_requests_are_cancelled_and_some_erased_once_each_after_they_were_sent():
    sends = traffic(1, 2000, REFERENCES, 300.0)
    sent = {send.request.key: send.at_seconds for send in reversed(sends) if not send.order}
    ordered = [send for send in sends if send.order]

    assert 100 < len(ordered) < 200
    assert {send.order for send in ordered} == set(Order)
    assert len({send.request.key for send in ordered}) == len(ordered)
    assert all(send.at_seconds >= sent[send.request.key] for send in ordered)
    assert Channel.HTTP_WITH_KEY not in {send.request.channel for send in ordered}


def test_two_tenants_ask_under_the_same_ids_mostly_for_different_texts():
    asked: dict[str, dict[str, str]] = defaultdict(dict)
    for send in traffic(1, 1000, REFERENCES, 150.0):
        asked[send.request.name][send.request.tenant] = send.request.reference

    assert len(asked) == 500
    assert {tuple(sorted(tenants)) for tenants in asked.values()} == {TENANTS}
    assert sum(len(set(tenants.values())) == 2 for tenants in asked.values()) > 400


def test_critical_requests_are_for_short_texts_and_long_ones_are_seldom_asked_for():
    requests = [send.request for send in traffic(1, 20_000, REFERENCES, 2500.0)]
    long = [one for one in requests if one.reference in REFERENCES.long]

    assert {one.reference for one in requests} == set(NAMES)
    assert {one.priority for one in long} == {"high", "standard"}
    assert 8 < len(long) < 40


def test_the_longest_text_of_a_long_run_is_not_short():
    scenario = Scenario(1000, 20_000, 1, "", Path())
    longest = max(scenario.texts, key=lambda name: len(scenario.texts[name]))
    priorities = {send.request.priority for send in scenario.sends if send.request.reference == longest}

    assert priorities == {"high", "standard"}


@given(st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_texts_are_distinct_and_mostly_short_with_a_heavy_tail(seed: int):
    sizes = sorted(text.count(".") for text in texts(seed, 300, 2000))

    assert len(set(texts(seed, 300, 2000))) == 300
    assert sizes[150] <= 4
    assert sizes[-1] >= 2000


def test_no_two_probes_have_the_same_text():
    assert len({probe_text(number) for number in range(3000)}) == 3000


def test_texts_lie_in_the_object_store_under_the_references_that_are_sent(tmp_path: Path):
    scenario = Scenario(10, 100, 1, "", tmp_path)
    refs = write_texts(scenario.texts, tmp_path)

    assert {name: (tmp_path / ref).read_text() for (_, name), ref in refs.items()} == scenario.texts
    assert all(ref.startswith(f"tenants/{tenant}/") for (tenant, _), ref in refs.items())
    assert len(refs) == len(TENANTS) * len(scenario.texts)
