"""Translated batches -> results, each exactly once."""
