"""Requests in, batches of segments out."""
