"""Joins the translated batches of a request and answers it, exactly once."""
