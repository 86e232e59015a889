"""The local stack of one home directory: its parts, its record, its state."""
