"""Which two clusters there are, and what goes from one to the other."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from connectors.settings import Section


class RegionSettings(Section):
    """DRAGOMAN_REGIONS_*. One direction: from the region that serves to the one that stands by."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_REGIONS_", frozen=True, extra="forbid")

    source: str = Field(default="a", pattern=r"^[a-z0-9-]+$", description="Name of the region that serves.")
    target: str = Field(default="b", pattern=r"^[a-z0-9-]+$", description="Name of the region that stands by.")
    source_bootstrap: str = Field(default="127.0.0.1:9092", description="host:port of its brokers.")
    target_bootstrap: str = Field(default="127.0.0.1:9192", description="host:port of its brokers.")
    only_requests: bool = Field(
        default=False, description="After a take-over: bring the requests that were never copied, no late answers."
    )
    groups: str = Field(
        default=".*", description="Regular expression of consumer groups that move; ours never do (mirror.py)."
    )
    replication: int = Field(default=1, ge=1, description="Of MirrorMaker's own topics; 3 in production.")
    tasks: int = Field(default=2, ge=1, description="Parallel copies.")
    offset_lag_max: int = Field(
        default=100, ge=0, description="Most records that a moved group reads twice per partition, roughly."
    )
    checkpoint_seconds: int = Field(default=5, ge=1, description="How often the places of groups are translated.")
    rest_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="By which MirrorMaker's nodes talk to each other; 0 takes any free port.",
    )
    heap_megabytes: int = Field(default=256, ge=64, description="Of MirrorMaker's Java.")
    extra: dict[str, str] = Field(
        default_factory=dict, description="JSON; more of mm2.properties, such as a.security.protocol."
    )
