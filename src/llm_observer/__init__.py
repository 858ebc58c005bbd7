"""See what your LLM calls cost, what the prompt cache gave, and why it did not give more."""
