"""Settings of the two Redis instances: where they are, and how long they remember."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from connectors.settings import Section

_DAY_SECONDS = 24 * 60 * 60


class RedisSettings(Section):
    """DRAGOMAN_REDIS_*. The cache may evict anything; the state must be persistent and never evict."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_REDIS_", frozen=True, extra="forbid")

    cache_url: str = Field(
        default="redis://127.0.0.1:6379/0",
        description="Translation memory; may be lost. One server, no cluster.",
    )
    state_url: str = Field(
        default="redis://127.0.0.1:6380/0",
        description="Slots, views, results, markers, registry; kept on disk. One server: a cluster is refused. "
        "Behind Sentinels: redis+sentinel://host:port,host:port/NAME/DATABASE.",
    )
    connect_timeout_seconds: float = Field(
        default=2.0, gt=0, description="Longest wait for a connection, and for a free one of a full pool."
    )
    socket_timeout_seconds: float = Field(default=2.0, gt=0, description="Longest wait for one answer.")
    max_connections: int = Field(default=32, ge=1, description="To each of the two, of one process.")
    policy_seconds: float = Field(
        default=10.0, gt=0, description="Time between two looks at the state's eviction policy and evicted keys."
    )
    tm_ttl_days: float = Field(default=7.0, gt=0, description="How long a translation is remembered.")
    done_ttl_days: float = Field(
        default=8.0, gt=0, description="Of markers that recognise repeats: topic retention plus a day."
    )

    @property
    def tm_ttl_seconds(self) -> int:
        """Return the life of one remembered translation."""
        return round(self.tm_ttl_days * _DAY_SECONDS)

    @property
    def done_ttl_seconds(self) -> int:
        """Return the life of the markers of requests that were seen or answered."""
        return round(self.done_ttl_days * _DAY_SECONDS)
