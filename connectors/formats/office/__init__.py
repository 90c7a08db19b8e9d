"""Office Open XML: Word, Excel, PowerPoint."""
