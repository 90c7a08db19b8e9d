"""Usage events -> ClickHouse, each exactly once; and the answers to queries."""
