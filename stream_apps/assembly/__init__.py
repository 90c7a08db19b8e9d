"""Assembles translated batches into results, each exactly once."""
