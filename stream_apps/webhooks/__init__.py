"""Tell callers that their requests are answered: one signed POST for each result with a callback."""
