"""Is this installation sound? Looks at it, changes nothing, and names the cure of whatever is wrong."""
