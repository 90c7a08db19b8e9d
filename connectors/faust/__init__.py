"""Faust made safe: nothing is committed before its outputs are stored (docs/architecture.md)."""
