"""Usage into ClickHouse exactly once, and answers out of it. `python -m connectors.clickhouse`."""
