"""Past traffic through another model, held against the answers that it got."""
