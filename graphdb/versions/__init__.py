"""Model versions: filled aside in a slot, proven, flipped, and what they left for others."""
