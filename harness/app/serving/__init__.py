"""Arms that serve: the folder they are shipped in, its checks, and its server."""
