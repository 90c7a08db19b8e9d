"""Where spans go, and of how many requests."""

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from connectors.settings import Section


class TracingSettings(Section):
    """DRAGOMAN_TRACING_*. Without an endpoint nothing is recorded, and `traceparent` is passed on as it came."""

    model_config = SettingsConfigDict(
        env_prefix="DRAGOMAN_TRACING_", frozen=True, extra="forbid", hide_input_in_errors=True
    )

    endpoint: str = Field(
        default="",
        description="OTLP/HTTP address that takes spans, such as http://collector:4318/v1/traces; empty: none.",
    )
    sample_ratio: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="Share of the requests that are recorded where their `traceparent` does not decide.",
    )
    headers: SecretStr = Field(
        default=SecretStr(""), description="HTTP headers for the endpoint: name=value,name=value."
    )
    timeout_seconds: float = Field(default=5.0, gt=0, description="Of sending once, repeats included.")
    send_seconds: float = Field(default=2.0, gt=0, description="Time between two sendings.")
    queue_spans: int = Field(default=4096, ge=1, description="Spans that wait to be sent; more are dropped.")
    open_spans: int = Field(
        default=10_000, ge=1, description="Spans under way in one process; of more the oldest are dropped."
    )

    @field_validator("endpoint")
    @classmethod
    def _is_address(cls, endpoint: str) -> str:
        if endpoint and not endpoint.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://, as in http://collector:4318/v1/traces")
        return endpoint

    @field_validator("headers")
    @classmethod
    def _are_pairs(cls, headers: SecretStr) -> SecretStr:
        # Not quoted: they are secrets.
        if any("=" not in pair for pair in headers.get_secret_value().split(",") if pair.strip()):
            raise ValueError("must be name=value, several of them separated by commas")
        return headers

    @property
    def header_pairs(self) -> dict[str, str]:
        """Return the headers by their names."""
        pairs = [pair.partition("=") for pair in self.headers.get_secret_value().split(",") if pair.strip()]
        return {name.strip(): value.strip() for name, _, value in pairs}
