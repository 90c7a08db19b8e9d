"""What blocks, and so is done on threads, a few at a time."""
