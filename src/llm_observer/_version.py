"""The version, by itself so that building reads it without importing anything."""

__version__ = "0.1.0"
