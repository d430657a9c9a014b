"""One file a public dataset: address, hash, licence, and how its bytes become rows."""
