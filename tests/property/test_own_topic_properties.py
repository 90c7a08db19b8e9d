"""No name of a tenant leads to the topics, the groups or the requests of another one."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.events import JobControl
from schemas.messages import TranslationRequest
from schemas.own_topics import check_own_tenants, order_of, request_of
from schemas.priorities import Priority
from schemas.records import InboundRecord
from schemas.rights import own_groups, rights_of
from schemas.states import ControlAction
from schemas.topics import (
    ASSEMBLY_GROUP,
    INTAKE_GROUP,
    MERGING_GROUP,
    WEBHOOKS_GROUP,
    TopicPlan,
    catalogue,
    extraction_group,
    inference_groups,
    own_topics,
    priority_of_topic,
    tenant_of_topic,
)
from schemas.validity import check_tenant

CODEC = Codec()
# Names that could be taken for parts of other names, and any others.
AWKWARD = [
    "requests", "results", "control", "documents", "translated", "batches", "bulk", "default", "tenant", "a",
    "a-b", "acme", "acme-2", "high-standard", "0", "intake", "inference",
]  # fmt: skip
NAMES = st.sampled_from(AWKWARD) | st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
TENANTS = NAMES.filter(lambda name: name not in tuple(Priority))
# What others call themselves, sound or not; Kafka takes names of these characters.
WRITTEN = TENANTS | st.text("abc-._ /", max_size=8) | st.text(max_size=5)


def topics_of(tenant: str) -> list[str]:
    return [topic.name for topic in own_topics(tenant, 1)]


@given(TENANTS, TENANTS)
def test_two_tenants_share_no_topic_and_have_rights_on_none_of_the_other(mine, other):
    assume(mine != other)
    check_own_tenants([mine, other])
    theirs = [*topics_of(other), *(topic.name for topic in catalogue(TopicPlan(tenants=(other,))))]
    assert not set(topics_of(mine)) & set(theirs)
    granted = [right for right in rights_of(mine) if right.resource == "topic"]
    assert all(any(right.covers(topic) for right in granted) for topic in topics_of(mine))
    assert not any(right.covers(topic) for right in granted for topic in theirs)


@given(TENANTS, TENANTS)
def test_the_groups_of_a_tenant_are_neither_anothers_nor_the_platforms(mine, other):
    assume(mine != other)
    (granted,) = (right for right in rights_of(mine) if right.resource == "group")
    platform = [INTAKE_GROUP, ASSEMBLY_GROUP, MERGING_GROUP, WEBHOOKS_GROUP, "usage_sink"]
    platform += [*map(extraction_group, Priority), *inference_groups("default")]
    assert granted.covers(f"{own_groups(mine)}readers")
    assert not any(granted.covers(group) for group in [*platform, f"{own_groups(other)}readers"])


@given(st.lists(TENANTS, unique=True, max_size=4))
def test_kafka_takes_every_name_and_none_collides_in_its_metrics(tenants):
    names = [topic.name for topic in catalogue(TopicPlan(tenants=tuple(tenants)))]
    assert all(re.fullmatch(r"[a-zA-Z0-9._-]{1,249}", name) for name in names)
    # Kafka's metrics write a dot as an underscore.
    assert len({name.replace(".", "_") for name in names}) == len(names)


@given(TENANTS)
def test_the_names_of_own_topics_tell_tenant_and_priority(tenant):
    names = topics_of(tenant)
    assert {tenant_of_topic(name) for name in names} == {tenant}
    assert [priority_of_topic(name) for name in names[:3]] == list(Priority)


@given(WRITTEN)
def test_what_is_not_a_tenants_name_gets_no_topic(name):
    try:
        check_tenant(name)
    except PermanentError:
        with pytest.raises(PermanentError):
            check_own_tenants([name])


@given(TENANTS, WRITTEN, st.sampled_from(list(Priority)))
def test_whatever_an_event_says_in_an_own_topic_it_is_that_tenants_or_refused(tenant, named, priority):
    request = TranslationRequest(tenant=named, request_id="r1", target_language="pt", text="a")
    order = JobControl(tenant=named, request_id="r1", action=ControlAction.CANCEL)
    for topic, message, read in (
        (f"translation.requests.{tenant}.{priority}", request, request_of),
        (f"translation.control.{tenant}", order, order_of),
    ):
        record = InboundRecord(topic, 0, 1, named.encode(), CODEC.encode(message))
        if named in ("", "default", tenant):
            assert read(record, CODEC).tenant == tenant
        else:
            with pytest.raises(PermanentError) as refused:
                read(record, CODEC)
            assert (refused.value.field, refused.value.limit) == ("tenant", tenant)
