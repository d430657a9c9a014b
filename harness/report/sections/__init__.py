"""One file a section: `ORDER`, and `section(results) -> Section | None` (None: nothing to say)."""
