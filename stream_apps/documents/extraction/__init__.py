"""Turn requests for documents into batches."""
