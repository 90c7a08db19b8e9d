"""Settings of the HTTP process."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from connectors.clickhouse.settings import BooksSettings
from connectors.kafka.settings import KafkaSettings
from connectors.object_store import ObjectSettings
from connectors.redis.settings import RedisSettings
from connectors.settings import ProcessSettings, Section
from connectors.tracing.settings import TracingSettings
from schemas.priorities import Priority
from stream_apps.accounts.budgets import BudgetSettings
from stream_apps.accounts.tiers import Tiers
from stream_apps.accounts.webhook_secrets import SigningSettings
from stream_apps.glossaries.limits import GlossaryLimits
from stream_apps.pipeline.cutting_limits import CuttingLimits
from stream_apps.pipeline.request_limits import RequestLimits


class HttpKafkaSettings(KafkaSettings):
    """DRAGOMAN_KAFKA_*: a caller waits for each record, so none waits for others."""

    linger_ms: int = Field(
        default=0,
        ge=0,
        description="How long a record waits for others to be sent with it; in a transaction none waits.",
    )


class HttpLimits(Section):
    """DRAGOMAN_HTTP_*: the address of the HTTP producer, and the limits of its answers and its memory."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_HTTP_", frozen=True, extra="forbid")

    host: str = Field(default="127.0.0.1", description="Address on which it listens.")
    port: int = Field(default=8080, ge=0, le=65535, description="Its port; 0 takes any free port.")
    backlog: int = Field(
        default=4096,
        ge=1,
        description="Connections that wait to be accepted; the system caps it (net.core.somaxconn), then drops.",
    )
    keep_alive_seconds: int = Field(
        default=75, ge=1, description="An idle connection is kept open this long for the next request."
    )
    anonymous_tenant: str = Field(
        default="",
        pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?$",
        description="Tenant of callers who show no key, with the role member; empty: they are refused.",
    )
    token_secrets_file: Path | None = Field(
        default=None,
        description="File of the secrets that sign the tokens of logins, one a line, 32 characters at least; the "
        "first one signs, all are accepted. Not set: nobody logs in, only API keys are accepted.",
    )
    in_flight_forget_seconds: int = Field(
        default=3600,
        ge=1,
        description="An unanswered request counts no longer among those in flight of its tenant after this time.",
    )
    listed_jobs: int = Field(
        default=10_000,
        ge=0,
        description="Jobs of a tenant that its list shows, the newest; none older than 8 days.",
    )
    logins_per_minute: int = Field(
        default=5, ge=1, description="Attempts to log in as one user, right or wrong, in this process."
    )
    password_checks: int = Field(
        default=2, ge=1, description="Passwords checked at a time; each takes a core for 0.2 s and 64 MB."
    )
    max_waiting_logins: int = Field(
        default=20, ge=1, description="Logins under way or in line in this process; more get 503."
    )
    token_hours: float = Field(default=24.0, gt=0, description="Life of the token that a login gives.")
    max_body_bytes: int = Field(default=8_000_000, ge=1, description="Of one HTTP request, as sent.")
    max_document_bytes: int = Field(
        default=100_000_000,
        ge=1,
        description="Of an uploaded file with its form.",
    )
    max_open_uploads: int = Field(
        default=16,
        ge=1,
        description="Uploads under way in this process at a time, each with a file on disk; more get 503.",
    )
    max_open_requests: int = Field(
        default=500, ge=1, description="Submissions under way in this process at a time; more get 503."
    )
    max_open_bytes: int = Field(
        default=32_000_000, ge=1, description="Bodies of all of them together; more get 503."
    )
    max_waiting_changes: int = Field(
        default=20,
        ge=1,
        description="Changes of accounts under way or in line in this process, and as many of glossaries; "
        "more get 503.",
    )
    max_waiting_detections: int = Field(
        default=50,
        ge=1,
        description="Calls under way or in line in this process to have a language detected; more get 503.",
    )
    max_waiting_redrives: int = Field(
        default=10,
        ge=1,
        description="Calls under way or in line in this process that list or redrive dead letters; more get 503.",
    )
    max_dead_letters: int = Field(
        default=20_000,
        ge=1000,
        description="Dead letters that a list keeps in memory while it reads; of more it reads them again.",
    )
    max_waiting_erasures: int = Field(
        default=20,
        ge=1,
        description="Tenants whose erasure is under way or in line in this process; more get 503.",
    )
    max_erasure_keys: int = Field(
        default=200_000,
        ge=1000,
        description="Requests of a tenant that its erasure keeps in memory; of more it reads Kafka again.",
    )
    reading_share: float = Field(
        default=0.25,
        gt=0,
        le=1,
        description="Of its time an erasure, or a call about dead letters, computes at most: requests come first.",
    )
    max_result_bytes: int = Field(default=16_000_000, ge=1, description="Of a translation in the object store.")
    max_inline_bytes: int = Field(
        default=700_000, ge=0, description="Larger texts (UTF-8) go to the object store, their reference to Kafka."
    )
    acknowledge_timeout_seconds: float = Field(
        default=10.0, gt=0, description="How long a caller waits for Kafka to store the request."
    )
    max_targets: int = Field(default=20, ge=1, description="Target languages of one call, a job for each.")
    max_wait_seconds: float = Field(default=60.0, ge=0, description="Longest `?wait=` of one call.")
    compatible_priority: Priority = Field(
        default=Priority.STANDARD, description="Of calls in the manner of LibreTranslate and DeepL."
    )
    poll_seconds: float = Field(
        default=0.1, gt=0, description="How often a job is looked for that should show up in a moment."
    )
    look_seconds: float = Field(
        default=2.0,
        gt=0,
        description="How often Redis is asked for the results that callers wait for, in case one was missed.",
    )
    looks_per_second: int = Field(
        default=500,
        ge=1,
        description="Looks at Redis a second of all streams of this process together, and as many for all its "
        "waiting callers: the more of them there are, the rarer is each looked for.",
    )
    max_waiters: int = Field(
        default=12_000, ge=1, description="Callers that wait for results in this process at a time; more get 503."
    )
    max_streams: int = Field(
        default=1000, ge=1, description="Streams of events in this process at a time; more get 503."
    )
    max_stream_seconds: float = Field(
        default=900.0, gt=0, description="Longest stream; its client then comes again, with Last-Event-ID."
    )
    grace_seconds: float = Field(
        default=1.0,
        ge=0,
        description="How much later an accepted job, or the result of a finished one, may show up.",
    )
    watch_seconds: float = Field(
        default=2.0, gt=0, description="How often Kafka and Redis are asked whether they answer."
    )
    shutdown_seconds: int = Field(default=10, ge=0, description="Open requests get this long after SIGTERM.")


class BackpressureLimits(Section):
    """DRAGOMAN_BACKPRESSURE_*: when the HTTP producer answers 503 because too much is waiting."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_BACKPRESSURE_", frozen=True, extra="forbid")

    critical_wait_seconds: float = Field(
        default=60.0, gt=0, description="Longest estimated wait for a worker: twice the service level."
    )
    high_wait_seconds: float = Field(default=240.0, gt=0, description="The same for high.")
    standard_wait_seconds: float = Field(default=1200.0, gt=0, description="The same for standard.")
    max_backlog_records: int = Field(
        default=200_000,
        ge=1,
        description="Most batches that may wait, of a priority and the more urgent ones.",
    )
    first_records_per_second: float = Field(
        default=10.0, gt=0, description="Rate of intake and of the workers, assumed until it is measured."
    )
    least_records_per_second: float = Field(
        default=1.0, gt=0, description="A slower rate counts as this one: a few stuck records refuse nobody."
    )
    smoothing_seconds: float = Field(default=30.0, gt=0, description="Time constant of the measured rate.")
    measure_seconds: float = Field(default=3.0, gt=0, description="How often Kafka is asked for the backlog.")
    reading_seconds: float = Field(
        default=60.0,
        gt=0,
        description="A reading counts this long while no newer one can be had; then every request may pass.",
    )
    max_retry_after_seconds: int = Field(default=300, ge=1, description="Longest Retry-After.")

    def wait_seconds(self, priority: Priority) -> float:
        """Return the limit of that priority."""
        limits = {
            Priority.CRITICAL: self.critical_wait_seconds,
            Priority.HIGH: self.high_wait_seconds,
            Priority.STANDARD: self.standard_wait_seconds,
        }
        return limits[priority]


class HttpSettings(ProcessSettings):
    """Everything that the HTTP process is configured with."""

    model_config = SettingsConfigDict(frozen=True)

    kafka: HttpKafkaSettings = Field(default_factory=HttpKafkaSettings)
    redis: RedisSettings = Field(default_factory=RedisSettings)
    objects: ObjectSettings = Field(default_factory=ObjectSettings)
    http: HttpLimits = Field(default_factory=HttpLimits)
    requests: RequestLimits = Field(default_factory=RequestLimits)
    cutting: CuttingLimits = Field(default_factory=CuttingLimits)
    signing: SigningSettings = Field(default_factory=SigningSettings)
    backpressure: BackpressureLimits = Field(default_factory=BackpressureLimits)
    tiers: Tiers = Field(default_factory=Tiers)
    books: BooksSettings = Field(default_factory=BooksSettings)
    budgets: BudgetSettings = Field(default_factory=BudgetSettings)
    glossaries: GlossaryLimits = Field(default_factory=GlossaryLimits)
    tracing: TracingSettings = Field(default_factory=TracingSettings)
