"""Read and change the accounts where they are kept: in two compacted topics, or in memory.

A writer opens the one transactional id of accounts, which ends or aborts whatever another one was writing, reads
both topics to their end, decides, and writes in one transaction. So no two decide on the same state: an e-mail
address is taken once, however many write at the same time, and whoever is killed has written all or nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from connectors.kafka.compacted_table import CompactedTable
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transactional_producer import TransactionalProducer
from schemas.accounts import Credential, Tenant
from schemas.codec import Codec
from schemas.errors import FatalError, TransientError
from schemas.records import OutboundRecord
from schemas.topics import ACCOUNT_TOPICS, CREDENTIALS, TENANTS
from stream_apps.accounts.directory import Directory

Account = Tenant | Credential
Plan = Callable[[Directory], Sequence[Account]]
"""Decides, from the accounts as they are, which records are written."""

_TRANSACTIONAL_ID = "accounts"
_ATTEMPTS = 5


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
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._change(plan)
            except FatalError as error:
                # Another writer began after us: nothing of ours was written. Any other reason lasts.
                if attempt == _ATTEMPTS:
                    raise TransientError(f"the accounts could not be changed: {error}") from error
        raise AssertionError

    def _change(self, plan: Plan) -> Sequence[Account]:
        producer = TransactionalProducer(self.kafka, _TRANSACTIONAL_ID)
        accounts = plan(self.read())
        if accounts:
            producer.commit([record_of(one, self.codec) for one in accounts], [])
        return accounts


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
