"""Texts between tags: HTML, XLIFF, EPUB."""
