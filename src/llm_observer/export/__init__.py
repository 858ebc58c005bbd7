"""Events: the local store and the opt-in envelope."""
