"""How we touch the world: one folder per outside system, which alone imports its client."""
