"""One file a figure: `TITLE`, `ORDER`, and `draw(results) -> Drawing | None` (None: nothing to draw)."""
