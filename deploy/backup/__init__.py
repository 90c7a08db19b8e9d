"""How the stores are saved and brought back: state Redis, ClickHouse, objects; one folder or URL a backup."""
