"""A second region that stands by."""
