"""How much of what cannot be processed is kept twice."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from connectors.settings import Section


class DeadLetterSettings(Section):
    """DRAGOMAN_DEAD_LETTERS_*, of each process. Beyond the ration letters carry coordinates only."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_DEAD_LETTERS_", frozen=True, extra="forbid")

    bytes_per_second: float = Field(
        default=50_000.0, ge=0, description="Originals in letters, for as long as a flood lasts."
    )
    burst_bytes: int = Field(default=20_000_000, ge=0, description="Originals in letters after a quiet time.")
