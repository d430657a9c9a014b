"""A fitted classifier as numbers: what is kept, what is shipped, and how it answers with numpy alone."""
