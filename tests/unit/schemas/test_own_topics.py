"""In a tenant's own topics the topic decides whose a message is; in shared ones the message does."""

import pytest
from pydantic import ValidationError

from connectors.kafka.settings import KafkaSettings
from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.events import JobControl
from schemas.messages import Message, TranslationRequest
from schemas.own_topics import order_of, request_of
from schemas.priorities import Priority
from schemas.records import InboundRecord
from schemas.rights import rights_of
from schemas.states import ControlAction
from schemas.topics import (
    BROKER,
    RESULTS,
    TopicPlan,
    all_request_topics,
    catalogue,
    priority_of_topic,
    tenant_of_topic,
)

CODEC = Codec()


def inbound(topic: str, message: Message) -> InboundRecord:
    return InboundRecord(topic, 0, 1, b"any key", CODEC.encode(message))


def asked(topic: str, tenant: str) -> TranslationRequest:
    request = TranslationRequest(tenant=tenant, request_id="r1", target_language="pt", text="a")
    return request_of(inbound(topic, request), CODEC)


@pytest.mark.parametrize("named", ["", "default", "acme"])
def test_a_request_that_names_no_tenant_or_the_topics_is_that_of_the_topic(named):
    assert asked("translation.requests.acme.high", named).key == ("acme", "r1")


def test_a_request_that_names_another_tenant_is_refused_with_what_the_topic_allows():
    with pytest.raises(PermanentError) as refused:
        asked("translation.requests.acme.high", "globex")
    error = refused.value
    assert (error.cause, error.field, error.limit) == ("tenant_contradicts_topic", "tenant", "acme")
    assert "globex" in error.message
    assert error.cure == "leave tenant out, or name the tenant of the topic"


def test_in_a_shared_topic_the_request_says_whose_it_is():
    assert [asked("translation.requests.high", name).tenant for name in ("default", "globex")] == [
        "default",
        "globex",
    ]


def test_an_order_is_that_of_the_topic_too():
    named, other = (
        inbound("translation.control.acme", JobControl(tenant=one, request_id="r1", action=ControlAction.ERASE))
        for one in ("", "globex")
    )
    assert order_of(named, CODEC).key == ("acme", "r1")
    with pytest.raises(PermanentError, match="but the topic is that of acme"):
        order_of(other, CODEC)


def test_own_topics_are_kept_and_stamped_as_the_shared_ones():
    plan = TopicPlan(partitions=3, tenants=("acme",))
    own = {topic.name: topic for topic in catalogue(plan) if tenant_of_topic(topic.name)}
    shared = {topic.name: topic for topic in catalogue(plan) if topic.name not in own}
    assert list(own) == [
        "translation.requests.acme.critical",
        "translation.requests.acme.high",
        "translation.requests.acme.standard",
        "translation.control.acme",
        "translation.results.acme",
    ]
    for name, topic in own.items():
        same = shared[name.replace(".acme", "")]
        assert vars(topic) == {**vars(same), "name": name}
    assert own["translation.requests.acme.high"].stamped_by == BROKER


def test_without_such_tenants_nothing_is_different():
    assert not any(tenant_of_topic(topic.name) for topic in catalogue(TopicPlan()))
    assert all_request_topics(()) == [f"translation.requests.{one}" for one in Priority]


@pytest.mark.parametrize(
    "topic", ["translation.documents.acme.high", "elsewhere.high", RESULTS, "translation.requests.acme"]
)
def test_only_topics_of_requests_and_documents_have_a_priority(topic):
    with pytest.raises(PermanentError, match="is no request topic"):
        priority_of_topic(topic)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["critical"], "is the name of a priority"),
        (["acme", "acme"], "is named twice"),
        (["acme.eu"], "tenant is 'acme.eu'"),
        (["acme_eu"], "not at either end"),
        ([""], "1 to 63"),
    ],
)
def test_a_tenant_that_may_have_no_topics_is_refused_at_the_start(names, said):
    with pytest.raises(ValidationError, match=said):
        KafkaSettings(tenants=tuple(names))


def test_the_rights_of_a_tenant_are_four():
    assert [(right.operation, right.resource, right.name, right.is_prefix) for right in rights_of("acme")] == [
        ("Write", "topic", "translation.requests.acme.", True),
        ("Write", "topic", "translation.control.acme", False),
        ("Read", "topic", "translation.results.acme", False),
        ("Read", "group", "tenant.acme.", True),
    ]
