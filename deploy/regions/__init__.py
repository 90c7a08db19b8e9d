"""A second region that can take over: its copy of the topics, and the take-over."""
