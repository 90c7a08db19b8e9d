"""How many replicas a pool should have, and who makes it so."""
