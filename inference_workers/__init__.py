"""Who translates: batches -> translated batches."""
