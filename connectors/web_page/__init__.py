"""Pages for browsers: how their files are served, and the parts that all of them share."""
