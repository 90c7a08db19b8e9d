"""Priorities, languages, ids, topics and dead letters."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.dead_letters import about_segments, dead_letter_of
from schemas.errors import PermanentError
from schemas.ids import _NAMESPACE, JobKey, batch_id, event_id, fingerprint
from schemas.languages import parse_language
from schemas.priorities import Priority, parse_priority, priority_of_score
from schemas.records import InboundRecord
from schemas.topics import TopicPlan, batches_topic, catalogue, priority_of_topic, requests_topic
from schemas.validity import check_key
from tests.keys import key


@pytest.mark.parametrize(
    ("score", "priority"),
    [(100, "critical"), (90, "critical"), (89, "high"), (70, "high"), (69, "standard"), (0, "standard")],
)
def test_a_score_becomes_the_priority_of_its_range(score, priority):
    assert priority_of_score(score) == priority


@pytest.mark.parametrize("score", [-1, 101])
def test_a_score_outside_the_range_is_refused_with_field_limit_and_cure(score):
    with pytest.raises(PermanentError) as caught:
        priority_of_score(score)
    assert (caught.value.field, caught.value.limit) == ("score", "0 to 100")
    assert caught.value.cure


def test_an_unknown_priority_is_refused_with_the_known_ones():
    with pytest.raises(PermanentError, match="urgent") as caught:
        parse_priority("urgent")
    assert caught.value.limit == "critical, high, standard"


@pytest.mark.parametrize(
    ("tag", "parsed"), [("EN", "en"), ("pt-br", "pt-BR"), ("ZH-hant-tw", "zh-Hant-TW"), ("es-419", "es-419")]
)
def test_a_language_tag_gets_its_usual_dead_letter_case(tag, parsed):
    assert str(parse_language(tag, "target_language")) == parsed


@pytest.mark.parametrize("tag", ["", "e", "english", "en-", "12", "pt-br-"])
def test_what_is_no_language_tag_is_refused_by_field(tag):
    with pytest.raises(PermanentError) as caught:
        parse_language(tag, "source_language")
    assert caught.value.field == "source_language"


def test_ids_depend_on_nothing_but_their_parts():
    assert event_id("compute", "t-1-2") == event_id("compute", "t-1-2") != event_id("compute", "t-1-3")
    assert batch_id(key("r", "acme"), 3) == "acme/r/3"
    assert fingerprint(b"a") == fingerprint(b"a") != fingerprint(b"b")


@pytest.mark.parametrize("request_id", ["r", "a/b", "", "/", "á:é"])
def test_the_key_of_a_request_is_read_back_whatever_its_id(request_id):
    one = key(request_id, "acme")
    assert JobKey.parse(str(one)) == JobKey.decode(one.encode()) == one
    assert str(one) == f"acme/{request_id}"


@pytest.mark.parametrize("foreign", [None, b"", b"r1", b"\xff"])
def test_a_kafka_key_that_names_no_request_is_the_key_of_nobodys(foreign):
    assert JobKey.decode(foreign).request_id == ""


@pytest.mark.parametrize("tenant", ["", "a/b", "Acme", "a" * 64, "a b"])
def test_a_key_of_no_tenant_that_could_be_is_refused(tenant):
    with pytest.raises(PermanentError) as caught:
        check_key(key("r1", tenant))
    assert (caught.value.cause, caught.value.field) == ("bad_tenant", "tenant")


def test_every_pool_gets_a_batch_topic_for_each_priority():
    names = {topic.name for topic in catalogue(TopicPlan(pools=("default", "premium")))}
    assert {batches_topic(pool, p) for pool in ("default", "premium") for p in Priority} <= names


def test_requests_translated_and_results_share_one_partition_count():
    plan = TopicPlan(partitions=24, batch_partitions=60)
    counts = {topic.name: topic.partitions for topic in catalogue(plan)}
    assert {counts[f"translation.{name}"] for name in ("requests.high", "translated", "results")} == {24}
    assert counts["translation.batches.default.high"] == 60


def test_a_request_topic_tells_its_priority_and_no_other_topic_does():
    assert priority_of_topic(requests_topic(Priority.HIGH)) is Priority.HIGH
    with pytest.raises(PermanentError):
        priority_of_topic("translation.results")


def test_a_dead_letter_keeps_the_record_and_gets_the_same_id_each_time():
    record = InboundRecord("t", 1, 2, b"k", b"\xffv", {"h": b"x"}, 5)
    error = PermanentError("undecodable", "broken", cure="mend it")
    first, second = (dead_letter_of(record, error, stage="intake", now_ms=now) for now in (10, 20))
    assert first.dead_letter_id == second.dead_letter_id
    assert (first.key, first.value, first.headers) == (b"k", b"\xffv", {"h": b"x"})
    assert (first.topic, first.partition, first.offset, first.timestamp) == ("t", 1, 2, 5)


def test_each_failed_segment_of_a_batch_has_a_dead_letter_of_its_own():
    record = InboundRecord("t", 1, 2, b"k", b"v")
    dead_letter = dead_letter_of(record, PermanentError("lost_mask", "x"), stage="inference", now_ms=1)
    dead_letters = about_segments(dead_letter, 4, [0, 9])
    assert [(one.batch_number, one.segment) for one in dead_letters] == [(4, 0), (4, 9)]
    assert len({one.dead_letter_id for one in dead_letters}) == 2


@given(st.lists(st.text() | st.integers(), max_size=4))
def test_an_event_id_is_the_uuid_of_version_5_over_its_parts(parts):
    assert event_id(*parts) == str(uuid.uuid5(_NAMESPACE, "/".join(map(str, parts))))
