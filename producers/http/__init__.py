"""The HTTP entrance: JSON in, a Kafka record out, job views and results back."""
