"""The HTTP producer."""
