"""What the HTTP process is told."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from connectors.kafka.settings import KafkaSettings
from connectors.objects.settings import ObjectSettings
from connectors.redis.settings import RedisSettings
from connectors.settings import ProcessSettings, Section


class HttpLimits(Section):
    """DRAGOMAN_HTTP_*."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_HTTP_", frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = 8080
    default_tenant: str = Field(default="default", description="Who asks where nobody is named.")
    max_body_bytes: int = Field(default=8_000_000, description="Of one HTTP request, as sent.")
    max_text_characters: int = Field(default=1_000_000, description="Code points of one text.")
    max_result_bytes: int = Field(default=16_000_000, description="Of a translation in the object store.")
    max_inline_bytes: int = Field(
        default=700_000, description="Larger texts (UTF-8) go to the object store, their reference to Kafka."
    )
    content_types: tuple[str, ...] = ("text/plain",)
    max_options: int = 16
    max_option_characters: int = 256
    max_metadata_entries: int = 32
    max_metadata_bytes: int = Field(default=8192, description="UTF-8, keys and values.")
    max_deadline_days: int = Field(default=7, description="No longer than requests are kept.")
    acknowledge_timeout_seconds: float = Field(
        default=10.0, description="How long a caller waits for Kafka to store the request."
    )
    max_wait_seconds: float = Field(default=60.0, description="Longest `?wait=` of one GET.")
    poll_seconds: float = Field(default=0.1, description="How often a waiting GET looks again.")
    grace_seconds: float = Field(
        default=1.0, description="An accepted job, and the result of a finished one, show up this much later."
    )
    watch_seconds: float = Field(
        default=2.0, description="How often Kafka and Redis are asked whether they are there."
    )
    shutdown_seconds: int = Field(default=10, description="Open requests get this long after SIGTERM.")


class HttpSettings(ProcessSettings):
    """All of them."""

    model_config = SettingsConfigDict(frozen=True)

    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    redis: RedisSettings = Field(default_factory=RedisSettings)
    objects: ObjectSettings = Field(default_factory=ObjectSettings)
    http: HttpLimits = Field(default_factory=HttpLimits)
