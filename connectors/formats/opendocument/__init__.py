"""OpenDocument: text, presentation, spreadsheet."""
