"""Redis in its two roles: a cache that may vanish, and state that must not."""
