"""The search for a better prompt: variants race on training items, the best on dev. Pure: who is asked is handed in."""
