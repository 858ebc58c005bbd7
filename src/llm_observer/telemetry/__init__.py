"""Spans, processors and metrics."""
