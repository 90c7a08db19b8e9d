"""Texts that are shown for a time: SubRip and WebVTT."""
