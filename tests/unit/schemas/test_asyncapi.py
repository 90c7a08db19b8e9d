"""The AsyncAPI document: valid by AsyncAPI's own schema, and as the catalogue and the Avro schemas say."""

import json
from pathlib import Path

import jsonschema_rs
import pytest

from schemas import records
from schemas.asyncapi import asyncapi_document
from schemas.avro_schemas import NAMES, single_object_fingerprint
from schemas.topics import RESULTS, TopicPlan, catalogue

ROOT = Path(__file__).parents[3]
# As @asyncapi/specs 6.11.1 publishes it, Apache-2.0.
SPECIFICATION = Path(__file__).parent / "asyncapi" / "3.0.0.json"
PLAN = TopicPlan(partitions=3, pools=("default", "gpu"), tenants=("acme",))


@pytest.fixture(scope="module")
def specification():
    return jsonschema_rs.validator_for(json.loads(SPECIFICATION.read_text()))


@pytest.fixture
def document():
    return json.loads(json.dumps(asyncapi_document(PLAN)))


def test_the_document_is_valid_by_the_specification(document, specification):
    specification.validate(document)


@pytest.mark.parametrize(
    "broken",
    [
        lambda document: document.pop("info"),
        lambda document: document["operations"][f"send.{RESULTS}"].pop("action"),
        lambda document: document["channels"][RESULTS].update(partitions=6),
        lambda document: payload_of(document).update(type="recrd"),
    ],
)
def test_a_document_with_a_mistake_is_not(document, specification, broken):
    broken(document)
    with pytest.raises(jsonschema_rs.ValidationError):
        specification.validate(document)


def payload_of(document):
    return document["components"]["messages"]["TranslationResult"]["payload"]["schema"]


def test_every_topic_is_a_channel_with_its_message_and_its_configuration(document):
    topics = {topic.name: topic for topic in catalogue(PLAN)}
    assert document["channels"].keys() == topics.keys()
    for name, channel in document["channels"].items():
        kafka = channel["bindings"]["kafka"]
        assert list(channel["messages"]) == [topics[name].message]
        assert kafka["partitions"] == topics[name].partitions
        assert kafka["topicConfiguration"]["retention.ms"] == topics[name].retention_ms
        assert ",".join(kafka["topicConfiguration"]["cleanup.policy"]) == topics[name].cleanup


def test_a_tenants_own_topics_are_received_and_sent(document):
    own = {name: one for name, one in document["channels"].items() if "acme" in name}
    assert [one["tags"] for one in own.values()] == [[{"name": "public"}]] * 5
    operations = {name: one["action"] for name, one in document["operations"].items() if "acme" in name}
    assert set(operations) == {f"receive.{name}" for name in own if "results" not in name} | {
        "send.translation.results.acme"
    }
    assert all(name.startswith(action) for name, action in operations.items())


def test_every_message_has_the_schema_that_is_published(document):
    messages = document["components"]["messages"]
    assert messages.keys() == set(NAMES)
    for name, message in messages.items():
        published = json.loads((ROOT / "schemas" / "avro" / f"{name}.avsc").read_text())
        assert message["payload"]["schema"] == published
        header = bytes.fromhex(message["x-single-object-header"])
        assert header == b"\xc3\x01" + single_object_fingerprint(published)


def test_every_header_of_records_is_described(document):
    described = {
        name
        for message in document["components"]["messages"].values()
        for name in message["headers"]["properties"]
    }

    assert described == {value for name, value in vars(records).items() if name.endswith("_HEADER")}


def test_what_is_public_can_be_asked_or_heard_and_the_rest_is_marked(document):
    public = {name for name, one in document["channels"].items() if one["tags"] == [{"name": "public"}]}
    operated = {one["channel"]["$ref"].removeprefix("#/channels/") for one in document["operations"].values()}
    assert public == operated
    assert {"translation.requests.critical", RESULTS} < public
    assert "translation.tenants" not in public


def test_the_stored_document_is_up_to_date():
    stored = json.loads((ROOT / "docs" / "reference" / "asyncapi.json").read_text())
    assert stored == json.loads(json.dumps(asyncapi_document(TopicPlan()))), "make it again: make reference"
