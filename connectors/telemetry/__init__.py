"""Metrics and health of every process."""
