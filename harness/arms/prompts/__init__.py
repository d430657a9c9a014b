"""Prompt files: what they say (`files`), and what they become for an item (`rendering`)."""
