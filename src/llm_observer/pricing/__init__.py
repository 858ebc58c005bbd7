"""Prices and costs. Pure: neither OpenTelemetry nor an SDK in here."""
