"""Assemble the translated batches of documents into files, each answered exactly once."""
