"""Past requests on another model, compared."""
