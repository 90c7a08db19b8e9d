"""What was lost is sent again, what is late is ended."""
