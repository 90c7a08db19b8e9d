"""What a tenant looks after: keys, glossaries, webhooks, usage."""
