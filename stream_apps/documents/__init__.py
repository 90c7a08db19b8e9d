"""Take documents apart into texts, and put their translations together again."""
