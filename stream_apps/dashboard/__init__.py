"""Show the books to people: pages of panels, each one question to ClickHouse."""
