"""How Dragoman touches the world: one folder per outside system."""
