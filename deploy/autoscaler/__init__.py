"""Decides how many workers a pool should have, from what waits in Kafka."""
