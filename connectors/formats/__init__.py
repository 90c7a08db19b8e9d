"""Documents: what is text in a file, and how its translation gets into the same file again."""
