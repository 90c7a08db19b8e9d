"""PDF: its text, written as another format."""
