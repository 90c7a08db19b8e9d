"""Texts that people write as they are: plain text and Markdown."""
