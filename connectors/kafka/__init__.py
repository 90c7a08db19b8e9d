"""Kafka by librdkafka: members of groups, readers without a group, producers, administration."""
