"""The real stack on one machine: Kafka, two Valkeys and every process of the platform, under one supervisor."""
