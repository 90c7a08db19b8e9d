"""Where large texts lie."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from connectors.settings import Section


class ObjectSettings(Section):
    """DRAGOMAN_OBJECTS_*. Credentials come from the cloud's usual environment or identity."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_OBJECTS_", frozen=True, extra="forbid")

    url: str = Field(
        default="memory:///", description="file:///path, s3://bucket/prefix, gs://, az:// or memory:///"
    )
    timeout_seconds: float = Field(
        default=10.0, gt=0, description="Of one request to the store, connecting included."
    )
    retries: int = Field(default=2, ge=0, description="Inside the client, before the failure is ours.")
