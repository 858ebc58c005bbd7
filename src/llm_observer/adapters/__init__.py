"""How the SDKs are hooked: one file per provider, one for what they share."""
