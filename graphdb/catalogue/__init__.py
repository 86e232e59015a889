"""Items, attributes and the knowledge between them: saved, read back, hidden, removed."""
