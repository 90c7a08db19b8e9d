"""ClickHouse, embedded or a server: a client for queries, a connection that writes, and the tables."""
