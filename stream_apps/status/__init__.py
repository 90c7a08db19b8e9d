"""Merges job events into job views."""
