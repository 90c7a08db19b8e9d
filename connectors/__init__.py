"""The clients of outside systems: one folder each, which alone imports the client library."""
