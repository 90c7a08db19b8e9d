"""Dead letters -> records that are sent again."""
