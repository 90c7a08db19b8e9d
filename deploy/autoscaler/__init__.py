"""How many replicas a pool should have, and how that number is applied."""
