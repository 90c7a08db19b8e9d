"""Turn requests into batches."""
