"""Post webhooks to addresses of the internet."""
