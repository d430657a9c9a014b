"""Asking a model: providers, the middleware around them, the ledger of paid answers, prices, and the stack."""
