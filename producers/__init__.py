"""How requests get in: HTTP and the command line."""
