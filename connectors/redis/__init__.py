"""Redis: the translation memory in the cache, everything else in the state."""
