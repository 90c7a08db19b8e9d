"""How the platform is run."""
