"""How a static member leaves its groups, and what a client of kafka-python leaves behind."""

import gc
import threading
from contextlib import contextmanager

import pytest
from pydantic import SecretStr

from connectors.kafka import static_membership
from connectors.kafka.client_config import admin_client_config
from connectors.kafka.python_client import admin_client
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.static_membership import leave_groups
from schemas.errors import TransientError

NOWHERE = KafkaSettings(bootstrap="127.0.0.1:1")


class Clock:
    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class Cluster:
    """Refuses the first `failures` requests; groups in `strangers` do not know the member."""

    def __init__(self, failures=0, strangers=()):
        self.failures, self.strangers, self.removed = failures, strangers, []

    @contextmanager
    def open(self, _settings, _timeout_seconds):
        yield self

    def remove_group_members(self, group, members):
        from kafka.errors import NoError, UnknownMemberIdError

        if self.failures:
            self.failures -= 1
            raise TransientError("the coordinator is loading")
        (member,) = members
        self.removed.append((group, member.group_instance_id))
        return {member.group_instance_id: UnknownMemberIdError if group in self.strangers else NoError}


@pytest.fixture
def leave(monkeypatch):
    def leave_cluster(cluster):
        monkeypatch.setattr(static_membership, "admin_client", cluster.open)
        monkeypatch.setattr(static_membership, "time", Clock())
        leave_groups(NOWHERE, ["a", "b"], "worker-0", 3.0)

    return leave_cluster


def test_a_member_is_removed_by_its_name_from_each_group_once(leave):
    cluster = Cluster(failures=2)
    leave(cluster)
    assert cluster.removed == [("a", "worker-0"), ("b", "worker-0")]


def test_a_group_that_does_not_know_the_member_counts_as_left(leave):
    cluster = Cluster(strangers=["a"])
    leave(cluster)
    assert cluster.removed == [("a", "worker-0"), ("b", "worker-0")]


def test_when_the_time_is_up_the_last_failure_is_raised(leave):
    with pytest.raises(TransientError, match="is loading"):
        leave(Cluster(failures=1_000))


# kafka-python (3.0.12) leaves sockets that were refused to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_a_client_that_cannot_connect_is_a_transient_failure_and_leaves_no_thread_behind():
    threads = threading.active_count()
    with pytest.raises(TransientError, match="Unable to bootstrap"), admin_client(NOWHERE, 0.3):
        pass
    assert threading.active_count() == threads
    gc.collect()


def test_credentials_are_given_to_the_admin_client_only_where_asked_for():
    settings = KafkaSettings(
        security_protocol="SASL_SSL", sasl_username="u", sasl_password=SecretStr("secret-word")
    )
    config = admin_client_config(settings, 3.0)
    assert (config["sasl_plain_username"], config["sasl_plain_password"]) == ("u", "secret-word")
    assert config["ssl_context"] is not None
    plain = admin_client_config(KafkaSettings(bootstrap="a:1, b:2"), 3.0)
    assert (plain["bootstrap_servers"], plain["request_timeout_ms"]) == (["a:1", "b:2"], 3000)
    assert plain["ssl_context"] is None
    assert "sasl_plain_password" not in plain
