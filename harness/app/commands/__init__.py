"""One file a command, found by its name; a file's first docstring line is its line in `--help`."""
