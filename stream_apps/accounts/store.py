"""Read and change the accounts where they are kept: in two compacted topics, or in memory.

A writer takes the one transactional id of accounts, reads both topics to their end, decides, and writes in one
transaction (connectors/kafka/lone_writer.py). So no two decide on the same state: an e-mail
address is taken once, however many write at the same time, and whoever is killed has written all or nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from connectors.kafka.compacted_table import CompactedTable
from connectors.kafka.lone_writer import change_alone
from connectors.kafka.settings import KafkaSettings
from schemas.accounts import Credential, Tenant
from schemas.codec import Codec
from schemas.records import OutboundRecord
from schemas.topics import ACCOUNT_TOPICS, CREDENTIALS, TENANTS
from stream_apps.accounts.directory import Directory

Account = Tenant | Credential
Plan = Callable[[Directory], Sequence[Account]]
"""Decides, from the accounts as they are, which records are written."""

ACCOUNTS_WRITER = "accounts"


class AccountStore(Protocol):
    """Where accounts are kept. Both methods block, and raise TransientError while it is away."""

    def read(self) -> Directory:
        """Return the accounts as they are now."""

    def change(self, plan: Plan) -> Sequence[Account]:
        """Write what the plan returns, and return it. The plan may run again; what it raises goes through."""


@dataclass(frozen=True)
class KafkaAccounts:
    """The accounts of one Kafka. Nothing stays open between two calls. For any thread."""

    kafka: KafkaSettings
    codec: Codec

    def read(self) -> Directory:
        found = Directory(self.codec)
        CompactedTable(self.kafka, ACCOUNT_TOPICS, found.add).load()
        return found

    def change(self, plan: Plan) -> Sequence[Account]:
        def decide() -> tuple[Sequence[Account], Sequence[OutboundRecord]]:
            accounts = plan(self.read())
            return accounts, [record_of(one, self.codec) for one in accounts]

        return change_alone(self.kafka, ACCOUNTS_WRITER, decide)


@dataclass
class InMemoryAccounts:
    """The accounts of one process. Remembers until it ends."""

    directory: Directory = field(default_factory=Directory)

    def read(self) -> Directory:
        return self.directory

    def change(self, plan: Plan) -> Sequence[Account]:
        accounts = plan(self.directory)
        for one in accounts:
            self.directory.put(one)
        return accounts


def record_of(account: Account, codec: Codec) -> OutboundRecord:
    """Encode a tenant or a credential for its topic."""
    topic, key = (TENANTS, account.tenant)
    if isinstance(account, Credential):
        topic, key = CREDENTIALS, account.credential_id
    headers = {"schema": type(account).__name__.encode()}
    return OutboundRecord(topic, key.encode(), codec.encode(account), headers)
