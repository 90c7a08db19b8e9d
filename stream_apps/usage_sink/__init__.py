"""Write usage events to ClickHouse, each exactly once, and answer queries about them."""
