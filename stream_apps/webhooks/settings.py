"""The settings of the webhooks process."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from connectors.kafka.settings import KafkaSettings
from connectors.redis.settings import RedisSettings
from connectors.settings import ProcessSettings, Section
from connectors.tracing.settings import TracingSettings
from stream_apps.accounts.webhook_secrets import SigningSettings
from stream_apps.pipeline.request_limits import RequestLimits
from stream_apps.runtime.retry import RetryPolicy

_HOUR_MS = 60 * 60 * 1000


class WebhookLimits(Section):
    """DRAGOMAN_WEBHOOKS_*: what is posted, how often, and how much at a time."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_WEBHOOKS_", frozen=True, extra="forbid")

    public_url: str = Field(
        default="", description="Address of the HTTP interface before the paths in a body; empty: paths alone."
    )
    inline_text_bytes: int = Field(
        default=0,
        ge=0,
        le=65_536,
        description="UTF-8 bytes of a translation up to which the body has it; 0: never.",
    )
    timeout_seconds: float = Field(
        default=10.0, gt=0, le=120, description="Of one attempt, from the look-up of the host to the status."
    )
    first_retry_seconds: float = Field(default=5.0, gt=0, description="Before the second attempt; then doubled.")
    longest_retry_seconds: float = Field(default=3600.0, gt=0, description="Between two attempts at most.")
    give_up_hours: float = Field(
        default=24.0, gt=0, le=168, description="A delivery is given up so long after its result."
    )
    most_under_way: int = Field(default=256, ge=1, description="Attempts at a time, of this process.")
    most_of_host: int = Field(
        default=8, ge=1, description="Of them to one host; one while its last attempt had no answer."
    )
    poll_seconds: float = Field(default=2.0, gt=0, description="Between two looks for retries that are due.")
    secrets_seconds: float = Field(
        default=30.0, ge=0, description="How old knowledge of the tenants' secrets may be."
    )
    commit_seconds: float = Field(default=1.0, ge=0, description="Between two commits of what was read.")

    @property
    def retry(self) -> RetryPolicy:
        """Return how long to wait between attempts."""
        return RetryPolicy(self.first_retry_seconds, self.longest_retry_seconds, spread=0.25)

    @property
    def give_up_ms(self) -> int:
        """Return how long a delivery is tried, in milliseconds."""
        return round(self.give_up_hours * _HOUR_MS)

    @property
    def lease_ms(self) -> int:
        """Return after how long a claimed delivery is due again: longer than any attempt, and its note, takes."""
        return round((2 * self.timeout_seconds + 30) * 1000)


class WebhookSettings(ProcessSettings):
    """The whole configuration of the webhooks process."""

    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    redis: RedisSettings = Field(default_factory=RedisSettings)
    requests: RequestLimits = Field(default_factory=RequestLimits)
    signing: SigningSettings = Field(default_factory=SigningSettings)
    webhooks: WebhookLimits = Field(default_factory=WebhookLimits)
    tracing: TracingSettings = Field(default_factory=TracingSettings)
