"""A loopback provider that keeps a prompt cache by the vendors' rules, and a small app that talks to it."""
