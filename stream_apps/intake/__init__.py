"""Requests -> batches."""
