"""Send files and fetch their translations."""
