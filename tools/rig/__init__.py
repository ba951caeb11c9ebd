"""A private PostgreSQL, a visaged beside it and a client: what the demo, the HTTP tests and bench-http stand on."""
