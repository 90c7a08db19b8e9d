"""Where Kafka is and how its clients behave."""

from typing import Literal

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from connectors.settings import Section
from schemas.topics import DEAD_LETTER_BYTES, TopicPlan


class KafkaSettings(Section):
    """DRAGOMAN_KAFKA_*."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_KAFKA_", frozen=True, extra="forbid")

    bootstrap: str = "127.0.0.1:9092"
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: str = "SCRAM-SHA-512"
    sasl_username: str = ""
    sasl_password: SecretStr = SecretStr("")
    ca_file: str = ""
    schema_registry_url: str = Field(default="", description="Set: Confluent framing. Empty: single-object.")
    partitions: int = Field(default=6, description="Of requests, translated, results; the same for all three.")
    batch_partitions: int = Field(default=6, description="Of each batch topic: at least 3 per worker.")
    pools: tuple[str, ...] = ("default",)
    dead_letter_bytes: int = Field(
        default=DEAD_LETTER_BYTES, gt=0, description="Most bytes of each partition of the dead letters."
    )
    replication: int = Field(default=1, description="3 in production.")
    session_timeout_ms: int = Field(default=10_000, description="A dead member's work moves after this time.")
    static_membership: bool = Field(
        default=False,
        description="Where names outlive processes: who comes back in time has its partitions at once; who does "
        "not keeps them until the session ends.",
    )
    max_poll_interval_ms: int = Field(default=120_000, description="Longest cycle of a worker.")
    transaction_timeout_ms: int = Field(
        default=30_000, description="Readers of committed records wait this long for a killed writer."
    )
    delivery_timeout_ms: int = 30_000
    progress_interval_seconds: float = Field(
        default=10.0, gt=0, description="How often a worker or an assembler asks whether its group gets on."
    )
    linger_ms: int = 5
    max_message_bytes: int = 2_000_000
    fetch_wait_ms: int = Field(default=100, description="How long the broker may hold an empty fetch.")
    fetch_bytes: int = Field(default=4_000_000, description="Of one answer of a broker, all partitions together.")
    consumer_buffer_kbytes: int = Field(
        default=4096,
        ge=1,
        description="Fetched and not yet taken, of one consumer; passed by one answer at most.",
    )
    producer_buffer_kbytes: int = Field(
        default=65_536,
        ge=1,
        description="Sent and not yet acknowledged, of one producer; then sending waits or fails.",
    )

    @model_validator(mode="after")
    def _a_message_fits_everywhere(self) -> "KafkaSettings":
        if self.max_message_bytes > min(self.fetch_bytes, self.producer_buffer_kbytes << 10):
            raise ValueError("max_message_bytes must fit into fetch_bytes and into producer_buffer_kbytes")
        return self

    @property
    def plan(self) -> TopicPlan:
        """The deployment's choice of partitions, pools and room."""
        return TopicPlan(self.partitions, self.batch_partitions, self.pools, self.dead_letter_bytes)
