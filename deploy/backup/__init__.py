"""Backups of state, usage and objects."""
