"""A second region: one direction of replication by MirrorMaker 2, and the take-over when the first is lost."""
