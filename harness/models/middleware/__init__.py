"""Wrappers with a provider's own signature, one concern each: `send(request) -> response`."""
