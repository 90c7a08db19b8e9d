"""Job events -> job views."""
