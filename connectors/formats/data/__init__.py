"""Texts in data: JSON, YAML, CSV."""
