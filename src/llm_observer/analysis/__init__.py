"""Prompts, prefix chains, provider cache rules and verdicts. Pure: neither OpenTelemetry nor an SDK in here."""
