"""What validation chooses: the default recipe's search, and a search that a person asks for."""
