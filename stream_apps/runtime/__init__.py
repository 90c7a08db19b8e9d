"""The run-time of every process: its life, its loop, its retries, its dead letters, its health."""
