"""The graph into a snapshot, whole or from an earlier one on."""
