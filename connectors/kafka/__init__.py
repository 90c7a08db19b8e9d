"""Kafka through confluent-kafka: durable sends, groups, transactions, topics."""
