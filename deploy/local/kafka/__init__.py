"""Apache Kafka on a bare machine: fetched by Maven, one KRaft node, no container."""
