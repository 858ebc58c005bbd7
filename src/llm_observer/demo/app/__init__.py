"""A small support application: what a user of the SDKs writes, with `llm_observer.patch()` as the only line of ours."""
