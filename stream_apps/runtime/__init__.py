"""How every process runs: its life, its loop, its retries, its dead letters, its health."""
