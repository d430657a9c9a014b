"""Statistics: arrays in, `Estimate` out, generators passed in. Pure, and cheap to import."""
