"""Result files of other tools, one file a tool: `recognises(path)` and `rows(path)`."""
