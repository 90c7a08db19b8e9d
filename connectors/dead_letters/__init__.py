"""Dead letters on their way to Kafka: built, fitted and rationed in one way for every process."""
