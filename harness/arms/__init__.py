"""Everything that can be compared, behind one protocol (`types.Arm`)."""
