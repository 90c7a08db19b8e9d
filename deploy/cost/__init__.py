"""What will it cost? Estimates before there are rows in the books."""
