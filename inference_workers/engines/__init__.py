"""Engines: each runs models of one kind behind one protocol. The only folder that knows an engine's library."""
