"""Submit texts, follow their jobs, read their results; what can be translated."""
