"""Content on spans and in events, where it was switched on: requests and responses in the conventions' shapes."""
