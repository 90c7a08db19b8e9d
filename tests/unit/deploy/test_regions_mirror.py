"""The configuration of MirrorMaker 2, and how far a region is behind."""

import re
from typing import Any

import pytest

from deploy.regions.mirror import Freshness, RegionSettings, copied_topics, mirror_properties
from schemas.lanes import Lane
from schemas.topics import TopicPlan, all_request_topics, catalogue


def properties(**changed: Any) -> dict[str, str]:
    lines = mirror_properties(RegionSettings(source="eu", target="us", **changed)).splitlines()
    # As Java reads them: a doubled backslash is one.
    return {key: value.replace("\\\\", "\\") for key, value in (line.split(" = ", 1) for line in lines)}


def patterns(name: str, **changed: Any) -> list[re.Pattern[str]]:
    return [re.compile(pattern) for pattern in properties(**changed)[name].split(", ")]


def test_all_topics_are_copied_but_those_of_work_under_way() -> None:
    wanted = patterns("eu->us.topics")
    left = [topic.name for topic in catalogue(TopicPlan()) if not any(one.fullmatch(topic.name) for one in wanted)]
    assert left == [
        *(f"translation.documents.{priority}" for priority in ("critical", "high", "standard")),
        *(f"translation.batches.default.{lane}" for lane in Lane),
        "translation.translated",
        "translation.translated.documents",
    ]
    assert not any(one.fullmatch("translation_results") for one in wanted)


def test_after_a_take_over_requests_alone_are_copied_by_tasks_that_remember_no_other_topic() -> None:
    found = patterns("eu->us.topics", only_requests=True)
    copied = [name for name in copied_topics(()) if any(one.fullmatch(name) for one in found)]
    assert copied == all_request_topics(())
    key = "us.config.storage.topic"
    assert properties(only_requests=True)[key] != properties()[key]


@pytest.mark.parametrize(
    ("group", "moves"),
    [
        ("customer", True),
        ("inference.default.high", False),
        ("intake", False),
        ("webhooks", False),
        ("usage_sink", False),
    ],
)
def test_groups_of_customers_move_and_the_platforms_own_do_not(group: str, moves: bool) -> None:
    excluded = any(one.fullmatch(group) for one in patterns("eu->us.groups.exclude"))
    assert excluded is not moves


def test_only_committed_records_are_copied_exactly_once_and_in_one_direction() -> None:
    found = properties()
    assert found["eu.consumer.isolation.level"] == "read_committed"
    assert found["us.exactly.once.source.support"] == "enabled"
    assert (found["eu->us.enabled"], found["us->eu.enabled"]) == ("true", "false")


def test_names_stay_the_same_in_the_other_region() -> None:
    assert properties()["replication.policy.class"].endswith(".IdentityReplicationPolicy")


def test_more_lines_can_be_added_and_ours_be_changed() -> None:
    found = properties(extra={"eu.security.protocol": "SSL", "tasks.max": "9"})
    assert (found["eu.security.protocol"], found["tasks.max"]) == ("SSL", "9")


def test_every_copied_topic_is_of_the_catalogue_and_a_tenants_own_are_all_copied() -> None:
    shared, with_own = ({topic.name for topic in catalogue(TopicPlan(tenants=names))} for names in ((), ("acme",)))
    assert set(copied_topics(())) <= shared
    assert set(copied_topics(("acme",))) - set(copied_topics(())) == with_own - shared
    lines = mirror_properties(RegionSettings(source="eu", target="us"), ("acme",)).splitlines()
    (listed,) = (line for line in lines if line.startswith("eu->us.topics = "))
    assert r"translation\\.results\\.acme" in listed.replace("\\-", "-")


@pytest.mark.parametrize(
    ("source_ms", "target_ms", "behind_seconds"),
    [(5_000, 3_000, 2.0), (5_000, 5_000, 0.0), (None, 5_000, None), (5_000, None, None)],
)
def test_a_topic_is_behind_by_the_age_difference_of_its_newest_records(
    source_ms: int | None, target_ms: int | None, behind_seconds: float | None
) -> None:
    assert Freshness("t", source_ms, target_ms).behind_seconds == behind_seconds
