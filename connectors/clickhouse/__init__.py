"""ClickHouse, embedded or a server: a client for questions, a connection that writes, the tables."""
