"""One file a check: `check(subject) -> list[Finding]`, empty when there is nothing to say."""
