"""Settings of Kafka and its clients."""

from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from connectors.settings import Section
from schemas.errors import PermanentError
from schemas.own_topics import check_own_tenants
from schemas.topics import DEAD_LETTER_BYTES, TopicPlan

FIRST_RECONNECT_MS = 100


class KafkaSettings(Section):
    """DRAGOMAN_KAFKA_*."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_KAFKA_", frozen=True, extra="forbid")

    bootstrap: str = Field(default="127.0.0.1:9092", description="host:port of some brokers, with commas.")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="How clients talk to the brokers."
    )
    sasl_mechanism: str = Field(default="SCRAM-SHA-512", description="With SASL_* only, as are the next two.")
    sasl_username: str = Field(default="", description="The user.")
    sasl_password: SecretStr = Field(default=SecretStr(""), description="Its password.")
    ca_file: str = Field(
        default="", description="PEM file of the CA that signs the brokers' certificates; empty: the system's."
    )
    schema_registry_url: str = Field(default="", description="Set: Confluent framing. Empty: single-object.")
    schema_registry_username: str = Field(default="", description="The user or API key; empty: none is sent.")
    schema_registry_password: SecretStr = Field(default=SecretStr(""), description="Its password.")
    schema_registry_subjects: Literal["topic", "record"] = Field(
        default="topic",
        description="Where `topics create` registers: under `TOPIC-value` for each topic (TopicNameStrategy), or "
        "under the record's full name (RecordNameStrategy).",
    )
    schema_registry_unknown_seconds: float = Field(
        default=60.0, ge=1, description="An id that the registry did not know is asked for again after this time."
    )
    write_release: int = Field(
        default=0,
        ge=0,
        description="During an upgrade: write the schemas of that release (docs/upgrading.md). 0: the newest.",
    )
    partitions: int = Field(
        default=6, ge=1, description="Of each topic except the batch topics; the same for all."
    )
    batch_partitions: int = Field(default=6, ge=1, description="Of each batch topic; at least 3 per worker.")
    usage_partitions: int = Field(
        default=1, ge=1, description="Of translation.usage, whose records hold many rows."
    )
    pools: tuple[str, ...] = Field(
        default=("default",), description="Worker pools; each has batch topics of its own."
    )
    tenants: tuple[str, ...] = Field(
        default=(),
        description="Tenants that produce and consume by Kafka themselves; each has topics of its own "
        "(docs/own_topics.md).",
    )
    dead_letter_bytes: int = Field(
        default=DEAD_LETTER_BYTES, gt=0, description="Most bytes of each partition of the dead-letter topic."
    )
    replication: int = Field(default=1, ge=1, description="3 in production.")
    session_timeout_ms: int = Field(
        default=10_000, gt=0, description="After this time the partitions of a dead member move to others."
    )
    static_membership: bool = Field(
        default=False,
        description="For instances whose names outlive their processes: one that comes back in time has its "
        "partitions at once; one that does not blocks them until its session ends.",
    )
    max_poll_interval_ms: int = Field(
        default=120_000,
        gt=0,
        description="Longest cycle: a member that takes nothing for this time is removed from its group.",
    )
    transaction_timeout_ms: int = Field(
        default=30_000,
        gt=0,
        description="Readers of committed records wait this long for the transaction of a killed writer.",
    )
    delivery_timeout_ms: int = Field(
        default=30_000, gt=0, description="A record that the broker has not acknowledged by then has failed."
    )
    progress_interval_seconds: float = Field(
        default=10.0, gt=0, description="How often a worker or an assembler checks that its group makes progress."
    )
    reconnect_max_ms: int = Field(
        default=1000,
        ge=FIRST_RECONNECT_MS,
        description="Pauses between attempts to reach a broker double up to this, from 100 ms.",
    )
    linger_ms: int = Field(
        default=2,
        ge=0,
        description="How long a record waits for others to be sent with it; in a transaction none waits.",
    )
    max_message_bytes: int = Field(
        default=2_000_000, ge=1, description="Of one record; must fit into FETCH_BYTES and PRODUCER_BUFFER_KBYTES."
    )
    fetch_wait_ms: int = Field(
        default=1000,
        ge=0,
        le=5000,
        description="How long the broker may hold an empty fetch; it answers at once when a record comes. Other "
        "questions on the same connection wait as long: a partition that is new to a reader is read that much "
        "later.",
    )
    fetch_bytes: int = Field(
        default=4_000_000, ge=1, description="Of one answer of a broker, all partitions together."
    )
    held_fetch_bytes: int = Field(
        default=100_000,
        ge=1,
        description="Of one partition of a bulk lane in one answer of a broker; a larger record comes alone. What "
        "was fetched of a lane that a worker holds back is fetched again.",
    )
    consumer_buffer_kbytes: int = Field(
        default=4096,
        ge=1,
        description="Fetched and not yet taken, per consumer; exceeded by one answer at most.",
    )
    producer_buffer_kbytes: int = Field(
        default=65_536,
        ge=1,
        description="Sent and not yet acknowledged, per producer; when it is full, sending waits or fails.",
    )

    @field_validator("tenants")
    @classmethod
    def _may_have_topics(cls, tenants: tuple[str, ...]) -> tuple[str, ...]:
        try:
            check_own_tenants(tenants)
        except PermanentError as error:
            raise ValueError(f"{error.message}; allowed: {error.limit}; {error.cure}") from error
        return tenants

    @model_validator(mode="after")
    def _a_message_fits_everywhere(self) -> "KafkaSettings":
        if self.max_message_bytes > min(self.fetch_bytes, self.producer_buffer_kbytes << 10):
            raise ValueError("max_message_bytes must fit into fetch_bytes and into producer_buffer_kbytes")
        return self

    @property
    def plan(self) -> TopicPlan:
        """Return the deployment's choice of partitions, pools, sizes and tenants with topics of their own."""
        return TopicPlan(
            partitions=self.partitions,
            batch_partitions=self.batch_partitions,
            usage_partitions=self.usage_partitions,
            pools=self.pools,
            dead_letter_bytes=self.dead_letter_bytes,
            tenants=self.tenants,
        )
