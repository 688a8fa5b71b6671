"""The hash chain's builder, and the keys that sign it."""
