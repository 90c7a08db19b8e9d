"""What happens to a request: the runtime, the pure pipeline, and the processes made of both."""
