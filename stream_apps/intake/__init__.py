"""Turns requests into batches."""
