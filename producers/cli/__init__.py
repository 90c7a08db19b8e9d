"""The command `dragoman`. A command parses what was typed, calls other packages and prints."""
