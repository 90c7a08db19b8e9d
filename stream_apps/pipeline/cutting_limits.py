"""How texts are cut, as it is configured: for intake, and for whoever cuts again what intake has cut before."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from connectors.settings import Section
from schemas.validity import MOST_SEGMENTS_PER_BATCH
from stream_apps.pipeline.pieces import BatchLimits
from stream_apps.pipeline.tag_attributes import AmidLimits


class CuttingLimits(Section):
    """DRAGOMAN_CUTTING_*: the same for all; after a change, repeats of waiting requests are split differently."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_CUTTING_", frozen=True, extra="forbid")

    max_segments_per_batch: int = Field(
        default=32, ge=1, le=MOST_SEGMENTS_PER_BATCH, description="A longer text becomes several batches."
    )
    max_batch_bytes: int = Field(
        default=400_000, ge=1, description="Of source text; far below Kafka's message limit."
    )
    batches_round_of: int = Field(
        default=6,
        ge=1,
        description="A request of more batches than this has a multiple of it, so that workers share a long one "
        "evenly: as many as a batch topic has partitions (DRAGOMAN_KAFKA_BATCH_PARTITIONS).",
    )
    max_tag_attributes: int = Field(
        default=16,
        ge=0,
        description="Of the tags amid one sentence; the others stay as they are. Its batch holds them twice.",
    )
    max_tag_attribute_characters: int = Field(
        default=1000, ge=1, description="Of each of them; a longer one stays as it is."
    )

    @property
    def batch(self) -> BatchLimits:
        """Return where a batch ends."""
        return BatchLimits(self.max_segments_per_batch, self.max_batch_bytes, self.batches_round_of)

    @property
    def amid(self) -> AmidLimits:
        """Return which attributes amid a sentence are segments."""
        return AmidLimits(self.max_tag_attributes, self.max_tag_attribute_characters)

    @property
    def version(self) -> str:
        """Return what tells apart two ways to cut."""
        batch = f"{self.max_segments_per_batch}x{self.max_batch_bytes}x{self.batches_round_of}"
        return f"{batch}-{self.max_tag_attributes}x{self.max_tag_attribute_characters}"
