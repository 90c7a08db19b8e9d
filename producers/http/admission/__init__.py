"""Who may come in, and how much: callers, logins, the measured backlog, the shares of tenants."""
