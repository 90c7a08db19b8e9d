"""What a document may ask of the machine, as settings."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from connectors.formats.protocol import Limits
from connectors.settings import Section


class FormatSettings(Section):
    """DRAGOMAN_FORMATS_*: what one document may cost before it is refused."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_FORMATS_", frozen=True, extra="forbid")

    memory_mb: int = Field(
        default=1000, ge=200, description="Address space of the process that reads or writes one document."
    )
    cpu_seconds: int = Field(default=30, ge=1, description="Processor time that one document may take.")
    wall_seconds: float = Field(default=60.0, gt=0, description="Time that one document may take.")
    output_mb: int = Field(default=300, ge=1, description="The largest file that may come out.")
    archive_members: int = Field(default=5000, ge=1, description="Files in a document that is an archive.")
    archive_mb: int = Field(default=300, ge=1, description="What such a document may unpack to.")
    archive_ratio: int = Field(
        default=200, ge=2, description="How much larger than packed a file above 1 MB in it may be."
    )
    units: int = Field(default=500_000, ge=1, description="Paragraphs, cells and so on of one document.")

    def limits(self) -> Limits:
        """Return those limits that the filters themselves watch."""
        return Limits(
            members=self.archive_members,
            unpacked_bytes=self.archive_mb * 1_000_000,
            ratio=self.archive_ratio,
            units=self.units,
        )
