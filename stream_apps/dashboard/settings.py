"""The settings of the dashboard, which the analytics process serves."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from connectors.settings import Section


class DashboardSection(Section):
    """DRAGOMAN_DASHBOARD_*: who stays signed in for how long, and how much one panel may ask for."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_DASHBOARD_", frozen=True, extra="forbid")

    enabled: bool = Field(default=True, description="Whether the analytics process serves the dashboard.")
    session_hours: float = Field(default=12.0, gt=0, le=720, description="How long a browser stays signed in.")
    link_seconds: float = Field(
        default=60.0, gt=0, le=3600, description="How long the link that `dragoman dashboard` opens may be used."
    )
    max_range_days: int = Field(default=400, ge=1, le=4000, description="Longest range of time of a panel.")
    max_points: int = Field(default=800, ge=10, le=10_000, description="Most steps of time of a panel.")
    table_rows: int = Field(default=200, ge=1, le=10_000, description="Most rows of a table.")
    refresh_seconds: float = Field(
        default=15.0, ge=2, le=3600, description="How often a page asks again while it shows the present."
    )
