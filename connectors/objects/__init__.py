"""Texts too large for a Kafka record, in an object store of any make."""
