"""A text as segments, and exactly what stands between them."""

from stream_apps.intake.segmentation.segmenter import SEGMENTATION_VERSION, Segmenter
from stream_apps.intake.segmentation.split import Split

__all__ = ["SEGMENTATION_VERSION", "Segmenter", "Split"]
