"""Source and translation of a document side by side, for people and for translation tools."""
